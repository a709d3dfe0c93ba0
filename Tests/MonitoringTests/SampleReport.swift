import Monitoring

/// Reports of which every value can be told from the others.
enum SampleReport {
  static var daemon: DaemonStatus {
    var daemon = DaemonStatus(
      version: "1.2.3", process: 10, state: .serving, age: .milliseconds(3_600_250), configuration: "/etc/begat/x.toml",
      reloadAge: .seconds(50))
    daemon.reloads.succeeded = 4
    daemon.reloads.refused = 1
    daemon.reloads.lastSucceeded = false
    daemon.reloads.lastAge = .milliseconds(1500)
    daemon.lostLogMessages = 6
    daemon.sandboxGaps = ["without Landlock", "without filters of system calls"]
    return daemon
  }

  static func service(_ name: String = "time", _ state: ServiceStatus.State = .serving) -> ServiceStatus {
    var service = ServiceStatus(name: name, state: state)
    service.addresses = [
      .init("127.0.0.1:37", isDatagram: false), .init("[::1]:37", isDatagram: false),
      .init("/run/time", isDatagram: false),
      .init("@abstract", isDatagram: true), .init("127.0.0.1:37", isDatagram: true),
    ]
    service.active = 3
    service.spares = 2
    service.limit = 256
    service.accepted = 1000
    service.ended = 997
    service.refused = [.init("allow-and-deny", 5), .init("rate", 0)]
    service.droppedRecords = 2
    service.isConfined = true
    service.datagrams = .init(answered: 9, refused: [.init("allow-and-deny", 0), .init("rate", 8)], ignored: 7)
    service.listeners = [
      ListenerStatus(process: 12, generation: 2, role: .current, age: .seconds(5), active: 1),
      ListenerStatus(process: 11, generation: 1, role: .retiring, age: .seconds(50), active: 2),
    ]
    service.durations = DurationHistogram(counts: [900, 50, 30, 10, 0, 4, 2, 0, 1], sum: .milliseconds(12_345))
    service.outcomes = [OutcomeCount("complete", 990), OutcomeCount("crashed", 7)]
    service.bytesReceived = 11
    service.bytesSent = 4000
    return service
  }

  static var full: StatusReport {
    StatusReport(
      daemon: daemon, services: [service()], denials: [Denial(network: "192.0.2.0/24", service: nil, remaining: nil)])
  }
}

/// The metrics of a report, as lines.
func metrics(_ report: StatusReport) -> [String] {
  var bytes: [UInt8] = []
  Metrics.append(report, to: &bytes)
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(
    String.init)
}

/// The samples of a metric, as lines.
func samples(_ metric: String, _ report: StatusReport) -> [String] {
  metrics(report).filter { $0.hasPrefix(metric + "{") || $0.hasPrefix(metric + " ") }
}
