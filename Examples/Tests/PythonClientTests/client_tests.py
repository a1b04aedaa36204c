"""What the official OpenAI client sees of the gateway.

`PythonClientTests.swift` starts the gateway and its fleet, and runs this. GATEWAY and CONTROL are their addresses, KEY is the
caller's key. The model `chat` has a ladder (premium, compact, later); `plain` has one upstream.
"""

import asyncio
import json
import os
import time
import unittest
import urllib.request

import openai
from openai.types.chat import ChatCompletion

GATEWAY = os.environ["GATEWAY"]
CONTROL = os.environ["CONTROL"]
KEY = os.environ["KEY"]
ASK = [{"role": "user", "content": "hello"}]
# How long the fleet's answer would be: longer than any limit here.
LONG = {"answer_tokens": 60}


def client(**options) -> openai.OpenAI:
    """A client that tries once, so that it is the gateway that is tested."""
    return openai.OpenAI(**{"base_url": GATEWAY + "/v1", "api_key": KEY, "max_retries": 0, "timeout": 60, **options})


def fault(kind: str | None, replica: int | str = 1) -> None:
    """Makes one fault the only active one; None: there is none."""
    rules = [] if kind is None else [{"replica": replica, "fault": kind}]
    request = urllib.request.Request(CONTROL + "/control/faults", json.dumps(rules).encode(), method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


class ClientTests(unittest.TestCase):
    def setUp(self) -> None:
        fault(None)
        # A model that has failed in another test is asked last for a second or two.
        end = time.monotonic() + 60
        while True:
            raw = client().chat.completions.with_raw_response.create(model="chat", messages=ASK, max_tokens=1)
            if raw.headers["x-spillway-tier"] == "premium":
                break
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def test_completion(self) -> None:
        answer = client().chat.completions.create(model="plain", messages=ASK, extra_body=LONG, max_tokens=12)
        self.assertTrue(answer.choices[0].message.content)
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertEqual(answer.usage.completion_tokens, 12)

    def test_stream_with_usage(self) -> None:
        whole = client().chat.completions.create(model="plain", messages=ASK, extra_body=LONG, max_tokens=12)
        text, usage, finish = "", None, None
        options = {"include_usage": True}
        for chunk in client().chat.completions.create(
            model="plain", messages=ASK, extra_body=LONG, max_tokens=12, stream=True, stream_options=options
        ):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertEqual(finish, "length")
        self.assertEqual(usage.completion_tokens, 12)

    def test_async_client(self) -> None:
        async def ask() -> str:
            async with openai.AsyncOpenAI(base_url=GATEWAY + "/v1", api_key=KEY, max_retries=0) as own:
                stream = await own.chat.completions.create(model="plain", messages=ASK, max_tokens=5, stream=True)
                return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

        self.assertTrue(asyncio.run(ask()))

    def test_headers_of_the_best_tier(self) -> None:
        raw = client().chat.completions.with_raw_response.create(model="chat", messages=ASK, extra_body=LONG, max_tokens=20)
        self.assertEqual(raw.headers["x-spillway-tier"], "premium")
        self.assertEqual(raw.headers["x-spillway-level"], "0")
        self.assertEqual(raw.headers["x-spillway-model"], "large")
        self.assertNotIn("x-spillway-reasons", raw.headers)
        self.assertGreater(float(raw.headers["x-spillway-cost"]), 0)
        self.assertEqual(raw.parse().usage.completion_tokens, 20)

    def test_degraded_tier(self) -> None:
        fault("error-503")
        raw = client().chat.completions.with_raw_response.create(model="chat", messages=ASK, extra_body=LONG, max_tokens=20)
        self.assertEqual(raw.headers["x-spillway-tier"], "compact")
        self.assertEqual(raw.headers["x-spillway-reasons"], "premium: target_failed (overloaded)")
        # No longer than the tier gives.
        self.assertEqual(raw.parse().usage.completion_tokens, 10)

    def test_degraded_stream(self) -> None:
        fault("error-503")
        with client().chat.completions.with_streaming_response.create(
            model="chat", messages=ASK, extra_body=LONG, max_tokens=20, stream=True
        ) as raw:
            self.assertEqual(raw.headers["x-spillway-tier"], "compact")
            self.assertEqual(raw.headers["x-spillway-reasons"], "premium: target_failed (overloaded)")
            self.assertTrue("".join(c.choices[0].delta.content or "" for c in raw.parse() if c.choices))

    def test_errors_are_of_their_classes(self) -> None:
        def ask(own: openai.OpenAI | None = None, **more):
            return (own or client()).chat.completions.create(**{"model": "plain", "messages": ASK, **more})

        with self.assertRaises(openai.AuthenticationError) as caught:
            ask(client(api_key="wrong"))
        self.assertEqual(caught.exception.code, "invalid_api_key")
        with self.assertRaises(openai.NotFoundError) as caught:
            ask(model="nothing")
        self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(extra_headers={"x-spillway-quality": "high"})
        self.assertEqual(caught.exception.param, "x-spillway-quality")
        for kind, expected in [
            ("context-length", openai.BadRequestError),
            ("rate-limit", openai.RateLimitError),
            ("error-503", openai.InternalServerError),
        ]:
            fault(kind)
            with self.subTest(kind), self.assertRaises(expected) as caught:
                ask()
            self.assertTrue(caught.exception.message)
        fault("no-answer")
        with self.assertRaises(openai.APITimeoutError):
            ask(client(timeout=0.5))

    def test_a_stream_that_breaks_off_raises(self) -> None:
        fault("cut-stream")
        with self.assertRaises(openai.APIError):
            for _ in client().chat.completions.create(model="plain", messages=ASK, max_tokens=50, stream=True):
                pass

    def test_embeddings(self) -> None:
        answer = client().embeddings.create(model="plain", input=["a", "b"])
        self.assertEqual([item.index for item in answer.data], [0, 1])
        self.assertIsInstance(answer.data[0].embedding[0], float)

    def test_models(self) -> None:
        self.assertEqual({model.id for model in client().models.list()}, {"chat", "plain"})

    def follow(self, raw) -> dict:
        """The job of an answer with status 202, when it has ended."""
        self.assertEqual(raw.status_code, 202)
        job = raw.http_response.json()
        self.assertEqual(job["object"], "job")
        self.assertEqual(raw.headers["location"], f"/v1/jobs/{job['id']}")
        end = time.monotonic() + 60
        while job["status"] in ("queued", "running"):
            self.assertLess(time.monotonic(), end)
            job = client().get(f"/jobs/{job['id']}", cast_to=object)
        return job

    def test_a_job_that_was_asked_for(self) -> None:
        raw = client().chat.completions.with_raw_response.create(
            model="plain", messages=ASK, max_tokens=7, extra_headers={"Prefer": "respond-async"}
        )
        job = self.follow(raw)
        self.assertEqual(job["status"], "done")
        answer = ChatCompletion.model_validate(job["response"])
        self.assertEqual(answer.usage.completion_tokens, 7)

    def test_a_job_instead_of_an_error(self) -> None:
        fault("error-503", "all")
        raw = client().chat.completions.with_raw_response.create(model="chat", messages=ASK, max_tokens=7)
        self.assertEqual(raw.headers["x-spillway-tier"], "later")
        fault(None)
        job = self.follow(raw)
        self.assertEqual(job["status"], "done", job)
        self.assertIn(job["served"]["tier"], ("premium", "compact"))
        with self.assertRaises(openai.NotFoundError):
            client().get("/jobs/" + "0" * 32, cast_to=object)


if __name__ == "__main__":
    unittest.main()
