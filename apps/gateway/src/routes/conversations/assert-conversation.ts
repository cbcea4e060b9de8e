import { NotFoundError } from '@aigolos/contracts';
import type { Database } from '@aigolos/db';

/** @throws NotFoundError where a turn cannot be taken in it; `new` begins one. */
export async function assertConversation(
  conversations: Pick<Database['conversations'], 'findOwned'>,
  account: string,
  wanted: string | undefined,
): Promise<void> {
  if (wanted === undefined || wanted === 'new' || (await conversations.findOwned(account, wanted))) return;
  throw new NotFoundError(`There is no conversation ${wanted}; send "new" to begin one.`, {
    code: 'CONVERSATION_NOT_FOUND',
    param: 'conversation',
  });
}
