/**
 * What the contract names and later work brings: agents with their tools and approvals.
 * An entry stands for everything inside of it. Each later issue takes its lines out.
 */
export const notServedYet: readonly string[] = [
  // agents, tools, approvals
  ...['Query.agents', 'Query.agent', 'Mutation.startAgent', 'Mutation.resolveApproval', 'Mutation.submitToolResult'],
  ...['Subscription.agent', 'StartAgentInput', 'StartAgentPayload', 'AgentLimitsInput', 'ResolveApprovalInput'],
  ...[
    'ResolveApprovalPayload',
    'SubmitToolResultInput',
    'SubmitToolResultPayload',
    'AgentRun',
    'Agent',
    'AgentTopology',
  ],
  ...['AgentRole', 'AgentMember', 'AgentStep', 'StepStatus', 'Tool', 'ToolSource', 'ToolCall', 'ToolCallStatus'],
  ...['ToolInput', 'ToolCallInput', 'Message.toolCalls', 'MessageInput(toolCalls)', 'MessageInput(toolCallId)'],
  ...['StartChatInput(tools)', 'StartChatInput(clientTools)', 'StartChatInput(toolChoice)', 'Run.pendingApprovals'],
  ...['ChatRun.pendingApprovals', 'IngestRun.pendingApprovals'],
  ...['StepStarted', 'StepFinished', 'ToolCallStarted', 'ToolCallArgumentsDelta'],
  ...['ToolCallEnded', 'ToolCallResult', 'ApprovalRequested', 'TextMessageStarted.step'],
];
