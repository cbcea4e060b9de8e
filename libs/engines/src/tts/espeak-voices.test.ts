import { describe, expect, test } from 'vitest';
import { parseEspeakVoices } from './espeak-voices.ts';

const TABLE = `Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  chr-US-Qaaa-x-west --/M      Cherokee_          iro/chr
 5  cmn             --/M      Chinese_(Mandarin,_latin_as_English) sit/cmn              (zh-cmn 5)(zh 5)
 2  en-us           --/M      English_(America)  gmw/en-US            (en 3)
 5  ru              --/M      Russian            zle/ru
 2  ru              --/M      Russian_again      zle/ru-2
`;

describe('parseEspeakVoices', () => {
  test('reads one voice a language, with a proper language tag where it is one', () => {
    expect(parseEspeakVoices(TABLE)).toEqual([
      {
        id: 'espeak-chr-us-qaaa-x-west',
        name: 'Cherokee',
        language: 'chr-US-Qaaa-x-west',
        espeakName: 'chr-US-Qaaa-x-west',
      },
      { id: 'espeak-cmn', name: 'Chinese (Mandarin, latin as English)', language: 'zh', espeakName: 'cmn' },
      { id: 'espeak-en-us', name: 'English (America)', language: 'en-US', espeakName: 'en-us' },
      { id: 'espeak-ru', name: 'Russian', language: 'ru', espeakName: 'ru' },
    ]);
  });

  test('an empty table has no voices', () => {
    expect(parseEspeakVoices('')).toEqual([]);
  });
});
