"""The client/server protocol of MySQL and MariaDB (MySQL 8.4 source documentation; MariaDB Knowledge Base). PURE."""
