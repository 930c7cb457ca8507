"""`http:URL`: a server that speaks the OpenAI-compatible chat API, as Ollama, llama.cpp's and vLLM.

The protocol stands here: what is asked, and what an answer must look like.
"""

import json
import os
import re
import threading
from typing import Any

from tisslang.adapters.adapter import Reply, count_words, failure, given_up
from tisslang.adapters.address import parse_address
from tisslang.adapters.http_call import Answer, Call
from tisslang.adapters.http_errors import explain
from tisslang.errors import TissCommandError
from tisslang.syntax.diagnostics import legible
from tisslang.values import Value, text_form

KEY_VARIABLE = "TISS_API_KEY"
_MAX_SHOWN = 300  # characters of a server's own message
_MAX_DEPTH = 100  # lists and objects in one another; a chat completion has about five
_NESTING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]', re.DOTALL)  # texts, brackets
_MAX_TOKENS = 2**53  # beyond it a count is no count
_WRONG_API = "is the URL that of an OpenAI-compatible API, as in http://HOST:PORT/v1?"


class ChatServer:
    """A model behind HTTP. `ValueError` for an address or a key that cannot be used.

    The model is that of `?model=NAME`, else the first that the server lists.
    """

    def __init__(self, url: str) -> None:
        self._address = parse_address(url)
        self._key = _read_key()
        self._model = self._address.model
        self._asking_for_model = threading.Lock()
        self._calls: set[Call] = set()
        self._calls_lock = threading.Lock()
        self._closed = False

    def reply(self, prompt: str, directives: dict[str, list[Value]], timeout: float) -> Reply:
        """What the server's model answers to the prompt as user, the directives as system."""
        messages = [{"role": "user", "content": prompt}]
        if system := system_message(directives):
            messages.insert(0, {"role": "system", "content": system})
        call = Call(self._address, lambda call: self._complete(call, messages))
        with self._calls_lock:
            if self._closed:
                raise given_up(str(self))
            self._calls.add(call)
        try:
            text, tokens = call.result(timeout)
        except TissCommandError:
            raise
        except Exception as error:
            raise explain(error, self._address, timeout) from None
        finally:
            with self._calls_lock:
                self._calls.discard(call)
        return Reply(text, count_words(prompt, text) if tokens is None else tokens)

    def close(self) -> None:
        """End the calls that are under way."""
        with self._calls_lock:
            self._closed = True
            calls = list(self._calls)
        for call in calls:
            call.give_up()

    # In the thread of a call

    def _complete(self, call: Call, messages: list[dict[str, str]]) -> tuple[str, int | None]:
        request = {"model": self._model_name(call), "messages": messages, "stream": False}
        answer = self._ask(call, "POST", "/chat/completions", json.dumps(request).encode())
        data = self._json(answer)
        return self._content(data), _token_count(data)

    def _model_name(self, call: Call) -> str:
        with self._asking_for_model:
            if self._model is None:
                try:
                    self._model = _first_model(self._json(self._ask(call, "GET", "/models")))
                except TissCommandError as error:
                    raise failure(
                        f"no model was named, and none is found: {error.message}",
                        hint=error.hint or "name one after the URL: ?model=NAME",
                    ) from None
            return self._model

    def _ask(self, call: Call, method: str, path: str, body: bytes = b"") -> Answer:
        headers = {"Accept": "application/json", "Connection": "close"}
        if body:
            headers["Content-Type"] = "application/json"
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        answer = call.exchange(method, self._address.target(path), headers, body)
        if not 200 <= answer.status < 300:
            raise self._refused(answer)
        return answer

    # What an answer says

    def _refused(self, answer: Answer) -> TissCommandError:
        message, hint = f"{self} answered with status {answer.status}", None
        if answer.location:
            message += f", a redirect to {self._shown(answer.location)}, which is not followed"
            hint = "give --agent the URL of the server itself"
        elif words := self._shown(_own_words(answer.body)):
            message += f": {words}"
        if answer.status in (401, 403):
            hint = f"set the environment variable {KEY_VARIABLE} to a key that the server knows"
        elif answer.status == 404:
            hint = "is the URL right, as in http://HOST:PORT/v1? ?model=NAME after it names a model"
        return failure(message, hint)

    def _json(self, answer: Answer) -> Any:
        try:
            return _parsed(answer.body)
        except ValueError:
            begin = self._shown(answer.body.decode("utf-8", "replace"))
            what = f"it begins with {begin[:80]!r}" if begin else "it is empty"
            raise failure(f"{self} sent an answer that is not JSON: {what}", _WRONG_API) from None

    def _content(self, data: Any) -> str:
        try:
            content = data["choices"][0]["message"]["content"]
        except (LookupError, TypeError):
            content = None
        if isinstance(content, str):
            # JSON can spell half a character ("\ud800"), which no file and no report can hold.
            return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        message = f"{self} sent no chat completion: no text at choices[0].message.content"
        if words := _message_in(data):  # some servers send their errors with status 200
            message += f"; it says: {self._shown(words)}"
        raise failure(message, _WRONG_API)

    def _shown(self, text: str) -> str:
        """A server's words as a person may see them: on one line, short, and without the key."""
        if self._key:
            for spelling in (json.dumps(self._key)[1:-1], self._key):
                text = text.replace(spelling, "***")
        return legible(" ".join(text.split()), _MAX_SHOWN)

    def __str__(self) -> str:
        return f"the model server at {self._address}"


def system_message(directives: dict[str, list[Value]]) -> str:
    """What the directives in force tell a model; empty without any."""
    frames = {
        "persona": "{}",
        "output": "Answer in the format: {}.",
        "language": "Write code in: {}.",
    }
    given = {name: ", ".join(map(text_form, directives.get(name, ()))) for name in frames}
    return "\n".join(frame.format(given[name]) for name, frame in frames.items() if given[name])


def _read_key() -> str:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not all("!" <= character <= "~" for character in key):
        raise ValueError(
            f"the environment variable {KEY_VARIABLE} holds a character that no key has: "
            "expected letters, digits and signs without spaces"
        )
    return key


def _parsed(body: bytes) -> Any:
    """The JSON in an answer; `ValueError` where there is none, or its nesting has no end.

    The engine raises Python's own limit, and a million brackets would end the whole process.
    """
    text, depth = body.decode("utf-8-sig"), 0
    for token in _NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
    return json.loads(text)


def _first_model(data: Any) -> str:
    try:
        name = data["data"][0]["id"]
    except (LookupError, TypeError):
        name = None
    if not isinstance(name, str) or not name:
        raise failure("the server's list of models is empty or of another shape")
    return name


def _token_count(data: Any) -> int | None:
    usage = data.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return tokens if type(tokens) is int and 0 <= tokens < _MAX_TOKENS else None


def _own_words(body: bytes) -> str:
    """What the body of an error says to people."""
    try:
        found = _message_in(_parsed(body))
    except ValueError:
        found = None
    return found or body.decode("utf-8", "replace")


def _message_in(data: Any) -> str | None:
    """The text of `error`, `error.message`, `message` or `detail`, as servers name it."""
    for name in ("error", "message", "detail"):
        if isinstance(data, dict) and name in data:
            data = data[name]
    return data if isinstance(data, str) else None
