/**
 * Questions with passages as a search would find them: three on the question's topic, so that even an unanswerable question
 * shares words with its sources, which is what makes a refusal hard. `answer` is a part of the sentence that answers;
 * null: the passages do not say. The threshold of the extractive answerer was chosen on `tuning`; `heldOut` was looked at
 * once, afterwards.
 */
export interface Topic {
  readonly title: string;
  readonly passages: readonly string[];
  readonly questions: readonly { readonly question: string; readonly answer: string | null }[];
}

const tuning: readonly Topic[] = [
  {
    title: 'Billing',
    passages: [
      `# Invoices
Invoices are issued on the first working day of each month and cover the month before. They are sent as a PDF to the billing address of the organisation, and can be downloaded for seven years from the settings page. An invoice is due within 30 days. If payment does not arrive in time, we send two reminders, a week apart, before the account is limited to reading.`,
      `# Changing the plan
You can move to a larger plan at any moment; the difference is charged pro rata for the rest of the month. Moving to a smaller plan takes effect at the end of the current billing period. Custom plans are arranged with the sales team, and need a contract of at least twelve months.`,
      `# Refunds
Purchases can be returned within 14 days without giving a reason. The money goes back to the card or account that was used to pay, usually within five working days. Fees for consumed tokens are not refunded. Credits that were granted as part of a promotion expire after 90 days.`,
    ],
    questions: [
      { question: 'How long do I have to pay an invoice?', answer: 'due within 30 days' },
      { question: 'When does a downgrade become active?', answer: 'at the end of the current billing period' },
      {
        question: 'Can I get my money back for tokens I already used?',
        answer: 'Fees for consumed tokens are not refunded',
      },
      { question: 'How many reminders are sent when a payment is late?', answer: 'two reminders' },
      { question: 'Which currencies can I pay in?', answer: null },
      { question: 'Do you offer a discount for universities?', answer: null },
      { question: 'Can I pay an invoice with Bitcoin?', answer: null },
      { question: 'Who is the chief executive of the company?', answer: null },
    ],
  },
  {
    title: 'Rate limiting',
    passages: [
      `## Limits per key
Each API key has a bucket of requests and a bucket of tokens, both refilled once a minute. When a bucket is empty the gateway answers with status 429 and a Retry-After header in seconds. Buckets are shared between instances through Redis, so adding a server does not raise the limit.`,
      `## Backoff
Clients should wait for the time that Retry-After names and then try again. Our own SDK does so up to three times, with full jitter. A request that was refused costs nothing and is not counted against the monthly budget.
- Streaming requests count once, when they begin.
- Batch requests count once per item.`,
      `## Raising a limit
The default is 600 requests per minute. An administrator raises it for a single key under *Keys → Limits*; the change works at once, without a restart. Limits above 10,000 requests per minute need a dedicated cluster.`,
    ],
    questions: [
      { question: 'What status code do I get when I exceed the limit?', answer: 'status 429' },
      { question: 'How many requests per minute are allowed by default?', answer: '600 requests per minute' },
      { question: 'Does the gateway have to be restarted after changing a limit?', answer: 'without a restart' },
      { question: 'How often does the SDK retry?', answer: 'up to three times' },
      { question: 'How does a batch count towards the limit?', answer: 'Batch requests count once per item' },
      { question: 'What is the maximum size of a request body?', answer: null },
      { question: 'Which Redis version is required?', answer: null },
      { question: 'How are WebSocket connections authenticated?', answer: null },
      { question: 'Is there a limit on the number of API keys per organisation?', answer: null },
    ],
  },
  {
    title: 'Volcanoes of Iceland',
    passages: [
      `Eyjafjallajökull is a volcano covered by an ice cap in the south of Iceland. Its eruption in April 2010 threw ash several kilometres into the atmosphere and closed much of European airspace for six days. The summit lies 1,651 metres above the sea. The name means "island mountain glacier".`,
      `Iceland sits on the Mid-Atlantic Ridge, where the North American and the Eurasian plates move apart by about two centimetres a year. Magma rises through the gap. There are some 130 volcanoes on the island, about thirty of which are active. On average one erupts every four to five years.`,
      `Hekla was known in the Middle Ages as the gateway to hell. It has erupted more than twenty times since the year 874. Its last eruption began on 26 February 2000 and lasted for twelve days. Hekla gives little warning: earthquakes begin only 30 to 80 minutes before an eruption.`,
    ],
    questions: [
      { question: 'How high is Eyjafjallajökull?', answer: '1,651 metres' },
      { question: 'How fast do the plates drift apart?', answer: 'two centimetres a year' },
      { question: 'When did Hekla last erupt?', answer: '26 February 2000' },
      { question: 'Why was air traffic in Europe stopped in 2010?', answer: 'closed much of European airspace' },
      { question: 'How many people died in the eruption of Eyjafjallajökull?', answer: null },
      { question: 'How high is Hekla?', answer: null },
      { question: 'What is the capital of Iceland?', answer: null },
      { question: 'Which volcano destroyed Pompeii?', answer: null },
    ],
  },
  {
    title: 'Annual leave',
    passages: [
      `Full-time employees have 28 days of paid leave a year, in addition to public holidays. Days that were not taken can be carried over until the end of March; after that they lapse. Whoever joins during the year has a twelfth of the allowance for each full month.`,
      `Leave is requested in the HR portal at least two weeks in advance. The line manager answers within three working days. A request can only be refused for urgent operational reasons, and the reason is given in writing. Leave of more than three consecutive weeks needs the approval of the department head.`,
      `Whoever falls ill during leave gets these days back if a doctor's certificate is handed in on the first working day after the return. Parents have ten extra days a year to care for a sick child. Unpaid leave of up to six months is possible after two years with the company.`,
    ],
    questions: [
      { question: 'How many vacation days do full-time staff get?', answer: '28 days of paid leave' },
      { question: 'What happens to unused days?', answer: 'carried over until the end of March' },
      { question: 'Who has to approve four weeks of holiday in a row?', answer: 'department head' },
      { question: 'I got sick during my leave, do I lose those days?', answer: 'gets these days back' },
      { question: 'How much parental leave is there after a birth?', answer: null },
      { question: 'What is the salary of a department head?', answer: null },
      { question: 'Can I work from home on Fridays?', answer: null },
      { question: 'How long is the notice period?', answer: null },
    ],
  },
  {
    title: 'Sourdough bread',
    passages: [
      `Feed the starter with equal weights of flour and water, and leave it at 24 to 26 °C until it has doubled, which takes four to six hours. A spoonful that floats in water is ready to use. A starter kept in the refrigerator needs feeding once a week.`,
      `Mix 500 g of flour, 350 g of water, 100 g of starter and 10 g of salt. Let the dough rest for 30 minutes, then stretch and fold it four times, half an hour apart. After that it rises overnight in the refrigerator. The long cold rise gives the bread its sour taste.`,
      `Heat the oven to 250 °C with a cast-iron pot inside. Bake the loaf for 25 minutes with the lid on and 20 minutes without it. The bread is done when it sounds hollow as you knock on its bottom. Let it cool for an hour before you cut it, or the crumb turns gummy.`,
    ],
    questions: [
      { question: 'At what temperature is the bread baked?', answer: '250 °C' },
      { question: 'How do I know that the starter is ready?', answer: 'floats in water' },
      { question: 'How much salt goes into the dough?', answer: '10 g of salt' },
      { question: 'Why should the loaf cool before cutting?', answer: 'the crumb turns gummy' },
      { question: 'How many calories does a slice have?', answer: null },
      { question: 'Can I use gluten-free flour for the starter?', answer: null },
      { question: 'What is the best recipe for pizza sauce?', answer: null },
      { question: 'How do I clean a cast-iron pot?', answer: null },
    ],
  },
  {
    title: 'Backups',
    passages: [
      `## Schedule
The database is backed up every night at 02:00 UTC. In between, the write-ahead log is copied to object storage every five minutes, so that at most five minutes of work can be lost. Backups are encrypted with AES-256 before they leave the machine.

| kind | kept for |
|---|---|
| nightly | 30 days |
| monthly | 1 year |`,
      `## Restore
To restore, stop the service, run \`sluice restore --at <time>\`, and start it again. A restore of 100 GB takes about forty minutes. Practise it once a quarter: a backup that was never restored is only a hope.

\`\`\`sh
sluice restore --at 2025-03-01T12:00:00Z
\`\`\``,
      `## Where they are
Copies are kept in two regions, Frankfurt and Dublin. Access needs two people: one holds the key, the other the account. Each access is written to an audit log that nobody can change.`,
    ],
    questions: [
      { question: 'How much data can be lost at most?', answer: 'at most five minutes of work' },
      { question: 'How long does it take to restore 100 GB?', answer: 'forty minutes' },
      { question: 'In which regions are the backups stored?', answer: 'Frankfurt and Dublin' },
      { question: 'Are backups encrypted?', answer: 'encrypted with AES-256' },
      { question: 'What does the storage of backups cost?', answer: null },
      { question: 'Which version of PostgreSQL does the service use?', answer: null },
      { question: 'How do I delete my account?', answer: null },
      { question: 'Is the data centre in Dublin powered by renewable energy?', answer: null },
    ],
  },
];

const heldOut: readonly Topic[] = [
  {
    title: 'City library',
    passages: [
      `The library is open from Tuesday to Saturday between 10 am and 7 pm. On Sundays only the reading room is open, from noon to 5 pm. Books can be returned at any hour through the slot at the north entrance.`,
      `Members borrow up to fifteen items at a time. Books may be kept for four weeks and films for one. A loan is extended twice, unless somebody else has reserved the item. For each day that an item is late we charge 20 cents.`,
      `A membership costs 24 euros a year, and nothing for anyone under eighteen. Bring an identity card to register. Lost cards are replaced for three euros. Members can also read 300 newspapers online from home.`,
    ],
    questions: [
      { question: 'How much does a membership cost?', answer: '24 euros a year' },
      { question: 'How many books can I borrow?', answer: 'up to fifteen items' },
      { question: 'What is the fine for late returns?', answer: '20 cents' },
      { question: 'Where can I return a book at night?', answer: 'slot at the north entrance' },
      { question: 'Is there a café in the library?', answer: null },
      { question: 'How many books does the library own?', answer: null },
      { question: 'Can I print documents there?', answer: null },
      { question: 'Who designed the building?', answer: null },
    ],
  },
  {
    title: 'Webhooks',
    passages: [
      `## Delivery
A webhook is sent as a POST request with a JSON body. Your endpoint must answer with a status of 2xx within ten seconds. Otherwise the delivery is tried again after 1, 5, 30 and 120 minutes, and then given up.`,
      `## Signatures
Each request carries the header X-Signature: an HMAC-SHA256 of the raw body, keyed with the secret of the endpoint. Compare it in constant time. The secret can be rotated; for 24 hours both the old and the new one are valid.`,
      `## Events
Deliveries are not ordered, and the same event can come twice, so use its id to ignore duplicates. Events older than 30 days are removed and can no longer be sent again. An endpoint that fails for three days is switched off, and the owner is told by mail.`,
    ],
    questions: [
      { question: 'Which algorithm signs the webhook requests?', answer: 'HMAC-SHA256' },
      { question: 'How quickly does my endpoint have to reply?', answer: 'within ten seconds' },
      { question: 'Are events delivered in order?', answer: 'Deliveries are not ordered' },
      { question: 'What happens to an endpoint that keeps failing?', answer: 'switched off' },
      { question: 'From which IP addresses are webhooks sent?', answer: null },
      { question: 'Can a webhook be sent to a Slack channel?', answer: null },
      { question: 'How many endpoints can I register?', answer: null },
      { question: 'How do I install the command line tool?', answer: null },
    ],
  },
  {
    title: 'Honey bees',
    passages: [
      `A colony of honey bees has one queen, some hundred drones and up to 60,000 workers. A worker lives for about six weeks in summer, but for several months in winter. The queen can live for five years and lays up to 2,000 eggs a day.`,
      `Bees tell each other where flowers are by dancing. The angle of the waggle dance to the vertical shows the direction relative to the sun, and its length the distance. Karl von Frisch, who deciphered the dance, received the Nobel Prize in 1973.`,
      `In winter the bees form a cluster and keep its centre at about 25 °C by trembling with their flight muscles. They live on the honey that they gathered: a colony needs some 15 kilograms of it until spring. The varroa mite is the most common cause of winter losses.`,
    ],
    questions: [
      { question: 'How many eggs does the queen lay per day?', answer: '2,000 eggs a day' },
      { question: 'Who worked out the meaning of the waggle dance?', answer: 'Karl von Frisch' },
      { question: 'How do bees stay warm in winter?', answer: 'trembling with their flight muscles' },
      { question: 'How much honey does a colony consume over the winter?', answer: '15 kilograms' },
      { question: 'How fast can a bee fly?', answer: null },
      { question: 'What does a jar of honey cost?', answer: null },
      { question: 'Are bee stings dangerous for children?', answer: null },
      { question: 'Which flowers do bumblebees prefer?', answer: null },
    ],
  },
];

export const topics = { tuning, heldOut };
