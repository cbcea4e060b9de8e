"""Speech recognition for the process that started this one, over its standard streams.

stdin   one JSON object a line:
          {"type": "transcribe", "id": 1, "bytes": n, "task": "transcribe" | "translate", "language": str | null,
           "prompt": str | null, "temperature": float | null, "words": bool}   followed by n bytes: mono little-endian f32 PCM at 16 kHz
          {"type": "cancel", "id": 1}
stdout  one JSON object a line:
          {"type": "ready", "languages": [str]}           once, when the model is loaded
          {"type": "segment", "id": 1, "segment": {...}}  as they come
          {"type": "done", "id": 1, "language": str | null}   language is null where no speech was found
          {"type": "cancelled", "id": 1}
          {"type": "failed", "id": 1, "message": str}
stderr  whatever libraries have to say.

Requests are served in turn; their ids grow. A cancel takes effect between segments. The process ends when stdin does,
also in the middle of its work, so it never outlives its parent.
"""

import argparse
import json
import math
import os
import queue
import signal
import sys
import threading
import traceback

# Greedy first, then one more try that samples: whisper's usual six take minutes on noise.
TEMPERATURES = [0.0, 0.4]
BEAM_SIZE = 5
SAMPLE_RATE_HZ = 16_000
# A window that the model doubts (below its log_prob_threshold) and takes for silence by more than this is left out. Among
# the noises that a detector lets through, "Thank you very much." was heard at 0.57; the library's own 0.6 keeps it.
NO_SPEECH_THRESHOLD = 0.5


class Requests:
    """Reads requests in a thread of its own, because a cancel must be seen while the model works."""

    def __init__(self, stream):
        self._stream = stream
        self._waiting = queue.SimpleQueue()
        self._cancelled_up_to = 0
        threading.Thread(target=self._read, daemon=True).start()

    def next(self):
        return self._waiting.get()

    def is_cancelled(self, request_id):
        return request_id <= self._cancelled_up_to

    def _read(self):
        try:
            while line := self._stream.readline():
                message = json.loads(line)
                if message["type"] == "cancel":
                    self._cancelled_up_to = message["id"]
                    continue
                pcm = self._stream.read(message["bytes"])
                if len(pcm) < message["bytes"]:
                    break
                self._waiting.put((message, pcm))
        except Exception:
            traceback.print_exc()
            os._exit(1)
        # Not sys.exit: the model may be at work in the main thread and would be waited for.
        os._exit(0)


def open_protocol():
    """The streams of the protocol. Libraries that print get stderr instead, so they cannot break it."""
    stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return sys.stdin.buffer, stdout


def load_model(folder, threads):
    if not os.path.isfile(os.path.join(folder, "model.bin")):
        # The library would take the folder's name for one on the hub.
        raise FileNotFoundError(f"There is no model.bin in {folder}.")
    # Late, because it takes seconds, in which a closed stdin must already end this process.
    import numpy
    from faster_whisper import WhisperModel

    class Model(WhisperModel):
        """Encodes a window once. The library does it again for the language, which doubles the work of a short clip."""

        _last = None

        def encode(self, features):
            # Detection takes in the last frame of 10 ms, which transcription leaves out.
            if self._last is None or numpy.any(features != self._last[0], axis=0).sum() > 1:
                self._last = (features, super().encode(features))
            return self._last[1]

    return Model(folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)


def transcribe(model, request, pcm, send, is_cancelled):
    import numpy
    from faster_whisper.transcribe import restore_speech_timestamps
    from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps

    request_id = request["id"]
    samples = numpy.frombuffer(pcm, dtype="<f4")
    # The library's vad_filter does the same, but asks the model for the language of silence before it gives up.
    speech = get_speech_timestamps(samples, VadOptions())
    if not speech:
        return send({"type": "done", "id": request_id, "language": None})
    temperature = request["temperature"]
    segments, info = model.transcribe(
        numpy.concatenate(collect_chunks(samples, speech)[0]),
        task=request["task"],
        language=request["language"],
        initial_prompt=request["prompt"],
        temperature=TEMPERATURES if temperature is None else [temperature],
        word_timestamps=request["words"],
        beam_size=BEAM_SIZE,
        best_of=1,
        # Each window for itself: a repetition that the model falls into does not carry over.
        condition_on_previous_text=False,
        no_speech_threshold=NO_SPEECH_THRESHOLD,
    )
    for segment in restore_speech_timestamps(segments, speech, SAMPLE_RATE_HZ):
        if is_cancelled(request_id):
            return send({"type": "cancelled", "id": request_id})
        send({"type": "segment", "id": request_id, "segment": describe(segment)})
    return send({"type": "done", "id": request_id, "language": info.language})


def describe(segment):
    return {
        "seek": segment.seek,
        "start": number(segment.start),
        "end": number(segment.end),
        "text": segment.text,
        "tokens": segment.tokens,
        "temperature": number(segment.temperature),
        "avg_logprob": number(segment.avg_logprob),
        "compression_ratio": number(segment.compression_ratio),
        "no_speech_prob": number(segment.no_speech_prob),
        "words": [
            {"word": word.word, "start": number(word.start), "end": number(word.end)} for word in segment.words or []
        ],
    }


def number(value):
    """A plain float: numpy's are none to JSON, and JSON knows no infinity."""
    value = float(value)
    return round(value, 4) if math.isfinite(value) else 0.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="folder of a CTranslate2 Whisper model")
    parser.add_argument("--threads", type=int, default=0, help="threads of one transcription; 0: the library's choice")
    options = parser.parse_args()

    # Ctrl-C reaches the whole terminal group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stdin, stdout = open_protocol()
    requests = Requests(stdin)

    def send(message):
        stdout.write(json.dumps(message) + "\n")

    model = load_model(options.model, options.threads)
    send({"type": "ready", "languages": list(model.supported_languages)})

    while True:
        request, pcm = requests.next()
        if requests.is_cancelled(request["id"]):
            send({"type": "cancelled", "id": request["id"]})
            continue
        try:
            transcribe(model, request, pcm, send, requests.is_cancelled)
        except Exception as error:
            traceback.print_exc()
            send({"type": "failed", "id": request["id"], "message": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        # At once: the thread that waits for stdin holds up an orderly end.
        os._exit(1)
