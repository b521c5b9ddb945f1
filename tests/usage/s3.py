"""An S3 server that checks signatures, and a way to it that breaks when it is told to."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from tests.gateway.site import free_port

SETTING_UP = 4  # calls until the server begins to look at credentials
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


@dataclass
class S3:
    """A running server with a bucket, and the credentials that open it."""

    url: str
    access_key: str = ""
    secret_key: str = ""
    bucket: str = "old-logs"

    def client(self, service: str = "s3"):  # type: ignore[no-untyped-def]
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key or "nobody",
            aws_secret_access_key=self.secret_key or "nothing",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def objects(self) -> dict[str, bytes]:
        client = self.client()
        found = client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {
            one["Key"]: client.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read()
            for one in found
        }


@contextlib.contextmanager
def s3_server() -> Iterator[S3]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(SETTING_UP)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield prepared(S3(f"http://127.0.0.1:{port}"))
        finally:
            process.terminate()


def prepared(server: S3) -> S3:
    """With somebody who may use it, and a bucket."""
    iam = server.client("iam")
    for _ in range(600):
        try:
            iam.create_user(UserName="keyplex")
            break
        except BotoCoreError:
            time.sleep(0.1)
    key = iam.create_access_key(UserName="keyplex")["AccessKey"]
    iam.put_user_policy(UserName="keyplex", PolicyName="all", PolicyDocument=POLICY)
    server.client().create_bucket(Bucket=server.bucket)
    server.access_key, server.secret_key = key["AccessKeyId"], key["SecretAccessKey"]
    return server


@dataclass
class Wire:
    """Passes bytes on to the server; after ``allowed`` of them it hangs up, on everybody."""

    target: int
    allowed: int
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Wire":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                for way in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=way, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError), source, sink:
            while data := source.recv(4096):
                if counted:
                    data, self.allowed = data[: max(0, self.allowed)], self.allowed - len(data)
                sink.sendall(data)
                if counted and self.allowed < 0:
                    return
