/** Beside the answer, so that this can be piped on: how to go on with a conversation that the command has begun. */
export function tellConversation(used: string | null | undefined, { conversation }: { conversation?: string }): void {
  if (used && conversation === 'new') console.error(`--conversation ${used} goes on with it`);
}
