/**
 * What the contract names and later work brings: agents with their tools and approvals.
 * An entry stands for everything inside of it. Each later issue takes its lines out.
 */
export const notServedYet: readonly string[] = [
  // tools, approvals
  ...['Mutation.resolveApproval', 'Mutation.submitToolResult', 'ResolveApprovalInput', 'ResolveApprovalPayload'],
  ...['SubmitToolResultInput', 'SubmitToolResultPayload', 'StartAgentInput(clientTools)', 'AgentRun.pendingApprovals'],
  ...['ToolInput', 'ToolCallInput', 'Message.toolCalls', 'MessageInput(toolCalls)', 'MessageInput(toolCallId)'],
  ...['StartChatInput(tools)', 'StartChatInput(clientTools)', 'StartChatInput(toolChoice)', 'Run.pendingApprovals'],
  ...['ChatRun.pendingApprovals', 'IngestRun.pendingApprovals', 'ToolCallStarted', 'ToolCallArgumentsDelta'],
  ...['ToolCallEnded', 'ToolCallResult', 'ApprovalRequested'],
];
