/** A question, one that means the same in other words, and one that sounds like it and has another answer. */
export interface Trio {
  readonly question: string;
  readonly paraphrase: string;
  readonly nearMiss: string;
}

/** Of our own making, written before anything was measured. */
export const trios: readonly Trio[] = [
  ['How do I reset my password?', 'What do I do to get a new password?', 'How do I change my user name?'],
  ['How can I cancel my subscription?', 'What is the way to end my subscription?', 'How can I renew my subscription?'],
  ['Where do I find my invoices?', 'Where are my invoices listed?', 'Where do I find my orders?'],
  ['How long does delivery take?', 'How many days until my parcel arrives?', 'How much does delivery cost?'],
  ['Do you ship to Norway?', 'Can I have it sent to Norway?', 'Do you ship to Sweden?'],
  [
    'How do I enable two-factor authentication?',
    'How can I turn on two-factor login?',
    'How do I disable two-factor authentication?',
  ],
  [
    'What is the limit of requests per minute?',
    'How many requests may I make each minute?',
    'What is the limit of requests per day?',
  ],
  [
    'How do I export my data as CSV?',
    'Is there a way to download my data as a CSV file?',
    'How do I import my data from CSV?',
  ],
  ['Which browsers are supported?', 'What browsers does it run in?', 'Which languages are supported?'],
  [
    'How do I add a member to my team?',
    'How can I invite somebody into my team?',
    'How do I remove a member from my team?',
  ],
  ['Why was my card declined?', 'What is the reason that my card was refused?', 'Why was my card charged twice?'],
  ['What does the premium plan include?', 'What do I get with the premium plan?', 'What does the basic plan include?'],
  ['How do I connect to port 5432?', 'How can I open a connection to port 5432?', 'How do I connect to port 6379?'],
  ['Is my data encrypted at rest?', 'Do you encrypt stored data?', 'Is my data not encrypted at rest?'],
  ['When does the support desk open?', 'From what time on can I reach support?', 'When does the support desk close?'],
  ['How do I delete my account?', 'What are the steps to remove my account?', 'How do I create an account?'],
  ['Can I use the app offline?', 'Does the app work without a connection?', 'Can I use the app on two devices?'],
  [
    'What is the largest file that I can upload?',
    'How big may an uploaded file be?',
    'What is the smallest file that I can upload?',
  ],
  ['How do I rotate an API key?', 'How can I replace an API key by a new one?', 'How do I revoke an API key?'],
  ['Who can see my documents?', 'Which people have access to my documents?', 'Who can edit my documents?'],
].map(([question = '', paraphrase = '', nearMiss = '']) => ({ question, paraphrase, nearMiss }));
