"""OpenAI's own client for Python against a running system; where it is, and with which key, comes on standard input."""

import json
import sys
import time
import unittest

import openai

given = json.load(sys.stdin)
client = openai.OpenAI(base_url=given["base_url"], api_key=given["api_key"], max_retries=0)
WORDS = [{"role": "user", "content": "[[words 30]]"}]


def clip():
    return open(given["clip"], "rb")


class Transcriptions(unittest.TestCase):
    def test_json(self):
        with clip() as file:
            transcript = client.audio.transcriptions.create(file=file, model="whisper-1")
        self.assertRegex(transcript.text, "^[a-z ]+$")
        self.assertEqual(transcript.usage.type, "duration")

    def test_text(self):
        with clip() as file:
            text = client.audio.transcriptions.create(file=file, model="whisper-1", response_format="text")
        self.assertRegex(text, "^[a-z ]+\n?$")

    def test_verbose_json(self):
        with clip() as file:
            transcript = client.audio.transcriptions.create(
                file=file,
                model="whisper-1",
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
            )
        self.assertAlmostEqual(transcript.duration, 2.7, places=0)
        self.assertEqual(transcript.words[0].start, 0)
        self.assertEqual(len(transcript.segments), 1)


class Speech(unittest.TestCase):
    def test_streamed_to_the_caller(self):
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="Good morning.", response_format="wav"
        ) as response:
            sound = b"".join(response.iter_bytes())
        self.assertEqual(sound[:4], b"RIFF")
        self.assertGreater(len(sound), 1_000)


class Batches(unittest.TestCase):
    def test_a_file_of_calls(self):
        url = "/v1/chat/completions"
        body = {"model": "gpt-4o", "messages": WORDS, "max_completion_tokens": 20}
        lines = [{"custom_id": f"line {n}", "method": "POST", "url": url, "body": body} for n in range(3)]
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        file = client.files.create(file=("in.jsonl", content), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint=url, completion_window="24h")
        deadline = time.monotonic() + 60
        while batch.status != "completed" and time.monotonic() < deadline:
            time.sleep(0.2)
            batch = client.batches.retrieve(batch.id)
        self.assertEqual(batch.request_counts.completed, 3)
        answers = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
        self.assertEqual({answer["custom_id"] for answer in answers}, {"line 0", "line 1", "line 2"})
        self.assertEqual(answers[0]["response"]["body"]["usage"]["completion_tokens"], 20)


class Chat(unittest.TestCase):
    def test_whole(self):
        completion = client.chat.completions.create(model="gpt-4o", messages=WORDS, max_completion_tokens=20)
        self.assertEqual(completion.choices[0].finish_reason, "length")
        self.assertEqual(completion.usage.completion_tokens, 20)

    def test_streamed(self):
        stream = client.chat.completions.create(
            model="gpt-4o", messages=WORDS, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        self.assertEqual(said.split(), [f"word{index}" for index in range(1, 31)])
        self.assertEqual(chunks[-1].usage.completion_tokens, 30)

    def test_as_a_job(self):
        raw = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=WORDS, extra_headers={"Prefer": "respond-async"}
        )
        self.assertEqual(raw.status_code, 202)
        job = json.loads(raw.text)
        self.assertEqual(raw.headers["location"], f"/v1/jobs/{job['id']}")
        ended = client.get(f"/jobs/{job['id']}", cast_to=object, options={"params": {"wait": 30}})
        self.assertEqual(ended["status"], "completed")
        result = client.get(f"/jobs/{job['id']}/result", cast_to=openai.types.chat.ChatCompletion)
        self.assertTrue(result.choices[0].message.content.startswith("word1 word2"))

    def test_twice_under_one_key(self):
        headers = {"Idempotency-Key": "python"}
        answers = [
            client.chat.completions.create(model="gpt-4o", messages=WORDS, extra_headers=headers) for _ in range(2)
        ]
        self.assertEqual(answers[0].id, answers[1].id)


class Models(unittest.TestCase):
    def test_listed_and_by_name(self):
        self.assertIn("test-asr", [model.id for model in client.models.list()])
        self.assertEqual(client.models.retrieve("whisper-1").id, "test-asr")


class Errors(unittest.TestCase):
    def test_are_its_own_exceptions(self):
        for case in given["errors"]:
            with self.subTest(case["title"]):
                self.check(case["request"], case["raised"])

    def check(self, request, raised):
        caller = client.with_options(api_key=request.get("apiKey", client.api_key))
        options = {"headers": request.get("headers", {})}
        call = getattr(caller, request["method"])
        body = {"body": request["body"]} if "body" in request else {}
        with self.assertRaises(openai.APIStatusError) as caught:
            call(request["path"], cast_to=object, options=options, **body)
        error = caught.exception
        self.assertEqual(type(error).__name__, raised.get("pythonType", raised["type"]))
        self.assertEqual(error.status_code, raised["status"])
        self.assertEqual(error.code, raised["code"])
        self.assertEqual(error.param, raised["param"])
        self.assertIn(raised["message"], error.message)
        self.assertRegex(error.request_id, "^req_")


if __name__ == "__main__":
    unittest.main()
