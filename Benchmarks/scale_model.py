"""The model of `Benchmarks/scale`: the needs of begat behind HAProxy, computed from constants for one machine."""

import math

# For one machine, as --measure prints them.
CONSTANTS = {
    "haproxy_us": 80.0,               # processor time of HAProxy per connection
    "idle_us": 580.0,                 # per second without connections and requests to agents
    "request_us": 165.0,              # per request to an agent
    "machine_us": 310.0,              # processor time of begat per connection, with the kernel's
    "haproxy_base_kib": 5_300.0,      # memory of HAProxy in front of one machine
    "haproxy_server_kib": 6.6,        # per server of a backend
    "haproxy_point_kib": 0.047,       # per point on the ring of a backend
    "haproxy_connection_kib": 3.3,    # per held connection
    "haproxy_sockets": 2.0,           # descriptors per held connection
    "machine_connection_kib": 50.0,   # private memory of a connection's process
    "time_wait_balancer": 0.0,        # sockets in TIME_WAIT per closed connection, at HAProxy towards a machine
    "time_wait_machine": 1.0,         # at the machine
    "agent_per_service": 2.0,         # requests per second and service to an agent
}

# The kernel's net.ipv4.ip_local_port_range, and its TCP_TIMEWAIT_LEN in seconds.
PORTS = 60_999 - 32_768 + 1
TIME_WAIT = 60
# HAProxy's points on the ring per unit of a server's weight; begat export chooses the weight.
POINTS_PER_WEIGHT = 16


def weight(machines):
    return max(10, min(100, 1600 // machines))


def points(machines):
    """Points on the ring of one backend."""
    return machines * weight(machines) * POINTS_PER_WEIGHT


class Model:
    """The needs of a number of machines behind one HAProxy."""

    def __init__(self, constants, machines, services=1):
        self.constants, self.machines, self.services = constants, machines, services

    def haproxy_kib(self, held=0):
        one = self.constants
        servers = (self.machines - 1) * one["haproxy_server_kib"]
        ring = (points(self.machines) - points(1)) * one["haproxy_point_kib"]
        return one["haproxy_base_kib"] + self.services * (servers + ring) + held * one["haproxy_connection_kib"]

    def haproxy_sockets(self, held):
        return held * self.constants["haproxy_sockets"]

    def haproxy_cores(self, rate, interval=0.5):
        requests = self.machines * self.agent_requests(interval)
        one = self.constants
        return (one["idle_us"] + rate * one["haproxy_us"] + requests * one["request_us"]) / 1e6

    def machine_cores(self, rate):
        """Per machine."""
        return rate / self.machines * self.constants["machine_us"] / 1e6

    def machine_kib(self, held):
        """Per machine, for its connections."""
        return held / self.machines * self.constants["machine_connection_kib"]

    def share(self):
        """The share of one machine in the sources, which move when it leaves and when it returns."""
        return 1 / self.machines

    def share_deviation(self):
        """Standard deviation of the shares, as a part of a share."""
        return 1 / math.sqrt(weight(self.machines) * POINTS_PER_WEIGHT)

    def time_wait(self, rate, seconds, place):
        """Sockets in TIME_WAIT with one HAProxy, per machine: at the machine, or at HAProxy towards it.

        HAProxy chooses any of PORTS, and a new connection replaces the socket of an old one with the same port.
        """
        closed = rate / self.machines * min(seconds, TIME_WAIT) * self.constants[f"time_wait_{place}"]
        return PORTS * (1 - math.exp(-closed / PORTS))

    def agent_requests(self, interval=0.5):
        """Requests per second to each machine."""
        return self.services * self.constants["agent_per_service"] * 0.5 / interval

    @staticmethod
    def admitted(rate, burst, seconds, moves=0):
        """Connections of one source over its limit: each machine that it moves to admits another burst."""
        return rate * seconds + burst * (1 + moves)
