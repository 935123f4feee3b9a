"""A real Kafka broker: one process with KRaft, from Maven's artifact, on loopback."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>3.9.1</version></dependency></dependencies></project>"""
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config={jaas} user_{user}="{password}";
ssl.keystore.type=PKCS12
ssl.keystore.location={folder}/keys.p12
ssl.keystore.password={keys}
log.dirs={folder}/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=100
"""
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
USER, PASSWORD = "alice", "example-of-tests-secret"
_KEYS = "keys-of-tests"
_SECONDS = 300
_READY_SECONDS = 60
_ID = "MkU3OEVBNTcwNTJENDM2Qk"


@dataclass
class Broker:
    """A broker in a folder. Its topics outlive `stop`.

    Args:
        folder: Its folder.
        jars: The folder of its jars, by `broker_jars`.
        port: Its port.
        secure: Its port for clients with TLS and a password.
        controller: The port of its controller.
    """

    folder: Path
    jars: Path
    port: int
    secure: int
    controller: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def secure_servers(self) -> str:
        return f"127.0.0.1:{self.secure}"

    @property
    def certificate(self) -> Path:
        """The broker's certificate, which a client of the secure port has to trust."""
        return self.folder / "broker.pem"

    def format(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = {"port": self.port, "secure": self.secure, "controller": self.controller}
        secrets = {"user": USER, "password": PASSWORD, "keys": _KEYS, "jaas": _LOGIN}
        text = _PROPERTIES.format(folder=self.folder, **ports, **secrets)
        (self.folder / "server.properties").write_text(text, "utf-8")
        self._make_keys()
        self._run("kafka.tools.StorageTool", "format", "-t", _ID, "-c", self._file)

    def start(self) -> None:
        command = [*self._java(), "-Xmx384m", "kafka.Kafka", self._file]
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(self.port):
            assert self.process.poll() is None, (self.folder / "broker.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the broker does not answer"
            time.sleep(0.2)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def create(self, spark: "SparkSession", topic: str, partitions: int = 2) -> None:
        """Create a topic, by Kafka's client in Spark's Java."""
        jvm = spark._jvm  # type: ignore[attr-defined]  # a test may use it
        new = jvm.org.apache.kafka.clients.admin.NewTopic(topic, partitions, 1)
        with self._admin(spark) as admin:
            admin.createTopics(jvm.java.util.Collections.singleton(new)).all().get()

    def expire(self, spark: "SparkSession", topic: str, partitions: int = 2) -> None:
        """Remove all messages that a topic has now, as its retention would."""
        jvm, gateway = spark._jvm, spark.sparkContext._gateway  # type: ignore[attr-defined]  # as above
        # By reflection: py4j finds no static method whose name an instance's method has too.
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        kind = loader.loadClass("org.apache.kafka.clients.admin.RecordsToDelete")
        types, values = (gateway.new_array(each, 1) for each in (jvm.java.lang.Class, jvm.Object))
        types[0], values[0] = jvm.java.lang.Long.TYPE, -1
        every = kind.getMethod("beforeOffset", types).invoke(None, values)
        records = jvm.java.util.HashMap()
        for number in range(partitions):
            records.put(jvm.org.apache.kafka.common.TopicPartition(topic, number), every)
        with self._admin(spark) as admin:
            admin.deleteRecords(records).all().get()

    def add_partitions(self, spark: "SparkSession", topic: str, partitions: int) -> None:
        """Let a topic have more partitions."""
        jvm = spark._jvm  # type: ignore[attr-defined]  # a test may use it
        new = jvm.org.apache.kafka.clients.admin.NewPartitions.increaseTo(partitions)
        with self._admin(spark) as admin:
            admin.createPartitions(jvm.java.util.Collections.singletonMap(topic, new)).all().get()

    @contextmanager
    def _admin(self, spark: "SparkSession") -> "Iterator[Any]":  # Any: an object of Java
        jvm = spark._jvm  # type: ignore[attr-defined]  # a test may use it
        settings = jvm.java.util.Properties()
        settings.put("bootstrap.servers", self.servers)
        admin = jvm.org.apache.kafka.clients.admin.AdminClient.create(settings)
        try:
            yield admin
        finally:
            admin.close()

    def _make_keys(self) -> None:
        """Make a key pair of the broker, by Java's keytool, and its certificate."""
        store = ["-keystore", str(self.folder / "keys.p12"), "-storepass", _KEYS]
        named = ["-alias", "broker", "-dname", "CN=127.0.0.1", "-ext", "SAN=ip:127.0.0.1"]
        pair = ["-genkeypair", "-keyalg", "RSA", "-storetype", "PKCS12", *named]
        certificate = ["-exportcert", "-rfc", "-alias", "broker", "-file", str(self.certificate)]
        for command in (pair, certificate):
            subprocess.run(
                ["keytool", *command, *store], capture_output=True, timeout=_SECONDS, check=True
            )

    @property
    def _file(self) -> str:
        return str(self.folder / "server.properties")

    def _java(self) -> list[str]:
        return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.jars}/*"]

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [*self._java(), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """Start a broker, and end it with the block."""
    broker = Broker(folder, broker_jars(), *_free_ports(3))
    broker.format()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def broker_jars() -> Path:
    """Return the folder of the broker's jars, fetched by Maven once (46 MB)."""
    folder = kafka_cache() / "broker"
    if not list(folder.glob("kafka_2.13-*.jar")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(_POM, "utf-8")
        command = [
            "mvn",
            "-q",
            "-B",
            "-f",
            str(folder / "pom.xml"),
            "dependency:copy-dependencies",
        ]
        subprocess.run([*command, f"-DoutputDirectory={folder}"], timeout=_SECONDS, check=True)
    return folder


def kafka_cache() -> Path:
    """Return the folder for what these tests fetch, which no other session uses."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "featurestore-tests-kafka"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def jaas(user: str = USER, password: str = PASSWORD) -> str:
    """Return the text with which a client logs in."""
    return f'{_LOGIN} username="{user}" password="{password}";'


def _free_ports(count: int) -> list[int]:
    """Return different ports that are free now."""
    with ExitStack() as probes:
        found = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in found:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in found]
