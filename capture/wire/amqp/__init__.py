"""AMQP 0-9-1 as RabbitMQ speaks it (AMQP 0-9-1 specification; rabbitmq.com, "Protocol Extensions"). PURE."""

from .decoder import AmqpDecoder

__all__ = ["AmqpDecoder"]
