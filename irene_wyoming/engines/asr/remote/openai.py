"""OpenAiServer: the common part of clients of OpenAI's API: the HTTP session, the models, errors.

It uses aiohttp for TLS, proxies, multipart, WebSockets and pooled connections, which can be cancelled at any point.
"""

from collections.abc import Sequence
from ssl import SSLContext
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from irene_wyoming.engines.asr.remote.api import DEFAULT_MODEL, Complaints, headers, model_there
from irene_wyoming.engines.base import ModelInfo
from irene_wyoming.errors import EngineFailed
from irene_wyoming.language.vocabulary import TypedNames
from irene_wyoming.wire.address import reason

ANSWER_BYTES = 1 << 20
"""Most bytes of one answer: a transcript with all that servers add has some 10 kB."""


class OpenAiServer:
    """The server whose API is at ``base``, e.g. ``https://host:8000/v1`` or ``wss://host:8000/v1``.

    :param model: model where a request names none; None: DEFAULT_MODEL.
    :param vocabulary: names to lean towards besides those of a request.
    """

    def __init__(
        self,
        name: str,
        base: str,
        *,
        model: str | None,
        vocabulary: TypedNames,
        key: str | None,
        connect_timeout_s: float,
        verify: SSLContext | bool,
    ) -> None:
        self._name = name
        self._told = Complaints(name, base, key)
        self._base = base
        self._model = model or DEFAULT_MODEL
        self._vocabulary = vocabulary
        self._headers = {"Accept-Encoding": "identity"} | headers(key)  # a small answer could unpack to a huge one
        self._connect_timeout_s = connect_timeout_s
        self._verify = verify
        self._client: aiohttp.ClientSession | None = None  # made on the loop that uses it

    async def models(self) -> Sequence[ModelInfo]:
        """The configured model, if the server answers; its own list has other kinds of models, too.

        :raises EngineFailed: it cannot be reached, or refuses the key.
        """
        return [model_there(self._model, self._base, await self._reach())]

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                headers=self._headers,
                # The session's deadline covers the whole answer; this one would start anew with every byte.
                timeout=aiohttp.ClientTimeout(None, connect=self._connect_timeout_s),
                connector=aiohttp.TCPConnector(ssl=self._verify),
                auto_decompress=False,
                proxy=proxy_of(self._base),
            )
        return self._client

    async def _reach(self) -> bytes:
        """Open a connection for the next request.

        :return: the server's list of models; empty: it is busy.
        :raises EngineFailed: it cannot be reached, or refuses the key.
        """
        brief = aiohttp.ClientTimeout(None, connect=self._connect_timeout_s, sock_read=self._connect_timeout_s)
        address = f"{self._base.replace('ws', 'http', 1) if self._base.startswith('ws') else self._base}/models"
        try:
            async with self._http().get(address, timeout=brief, allow_redirects=False) as response:
                if response.status in (401, 403):
                    raise self._told.refused(response.status)
                return await self._body(response)
        except aiohttp.SocketTimeoutError:
            return b""  # the server is there, and busy
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._failed(error) from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > ANSWER_BYTES:
                raise EngineFailed(f"{self._told.where} answered with more than {ANSWER_BYTES} bytes")
        return bytes(body)

    def _failed(self, error: Exception) -> EngineFailed:
        if isinstance(error, aiohttp.WSServerHandshakeError):
            return self._told.refused(error.status, error.message.encode())
        if isinstance(error, TimeoutError):
            return self._told.failed(f"no connection within {self._connect_timeout_s:g} s")
        if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError):
            return self._told.failed(f"no connection: {reason(error.os_error)}")
        why = getattr(error, "certificate_error", error)
        hint = "; verify_tls: false takes it as it is" if "CERTIFICATE_VERIFY_FAILED" in str(why) else ""
        return self._told.failed(f"{str(why) or type(why).__name__}{hint}")


def proxy_of(base: str) -> str | None:
    """The proxy for an address in the environment; None: none."""
    parts = urlsplit(base)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(scheme)
