/**
 * A process of its own that downloads mongod into the folder of its argument and sends its parent the path. Of its own,
 * because the library takes settings from the environment only: its parent has it check certificates and checksums.
 */
import { sendMessage } from 'execa';
import { MongoBinary } from 'mongodb-memory-server';

const [, , downloadDir = '.'] = process.argv;
await sendMessage(await MongoBinary.getPath({ downloadDir, checkMD5: true }));
