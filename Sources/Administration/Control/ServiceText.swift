import Monitoring

/// `begat status SERVICE`: all that is known of a service, a line for each topic.
enum ServiceText {
  static func text(_ service: ServiceStatus, width: Int?) -> String {
    var text = printableCell("\(service.name): \(ServiceTable.state(service))") + "\n"
    for topic in topics(service) {
      var label = topic.label
      for line in wrapped(topic.parts, width: width.map { max(20, $0 - indent) } ?? 80 - indent) {
        text += "  " + label.padded(to: indent - 2) + line + "\n"
        label = ""
      }
    }
    return text
  }

  private static let indent = 14

  private struct Topic {
    let label: String
    /// Between them a line may end.
    let parts: [String]
  }

  private static func topics(_ service: ServiceStatus) -> [Topic] {
    var topics = service.addresses.enumerated().map { index, address in
      Topic(label: index == 0 ? "address" : "", parts: [address.text + (address.isDatagram ? " (datagram)" : "")])
    }
    let limit = service.limit.map { " of \($0)" } ?? ""
    topics.append(
      Topic(
        label: "connections",
        parts: list(["\(service.active)\(limit) open", "\(service.accepted) accepted", "\(service.ended) ended"])))
    let rates = service.rates
    topics.append(
      Topic(
        label: "per second",
        parts: list([
          "\(ColumnText.rate(rates.second)) now", "\(ColumnText.rate(rates.minute)) in a minute",
          "\(ColumnText.rate(rates.quarterHour)) in 15 minutes",
        ])))
    topics.append(Topic(label: "refused", parts: refusals(service.refused)))
    if let datagrams = service.datagrams {
      let counts = ["\(datagrams.answered) answered,", "\(datagrams.ignored) ignored,", "refused:"]
      topics.append(Topic(label: "datagrams", parts: counts + refusals(datagrams.refused)))
    }
    let outcomes = service.outcomes.filter { $0.count > 0 }
    if !outcomes.isEmpty {
      topics.append(Topic(label: "ended by", parts: list(outcomes.map { "\($0.outcome) \($0.count)" })))
    }
    if let durations = durations(service.durations) { topics.append(Topic(label: "lasted", parts: durations)) }
    topics.append(
      Topic(
        label: "bytes",
        parts: list([
          "\(ColumnText.size(service.bytesReceived)) received", "\(ColumnText.size(service.bytesSent)) sent",
        ])))
    if service.isConfined == false { topics.append(Topic(label: "sandbox", parts: ["unconfined"])) }
    if service.droppedRecords > 0 {
      topics.append(
        Topic(
          label: "unlogged", parts: ["\(service.droppedRecords) connections,", "by a log", "that could not keep up"]))
    }
    for (index, listener) in service.listeners.enumerated() {
      let parts = [
        "process \(listener.process)", listener.role.rawValue, "\(listener.active) open",
        "for \(ColumnText.age(listener.age))",
      ]
      topics.append(Topic(label: index == 0 ? "listener" : "", parts: list(parts)))
    }
    return topics
  }

  private static func refusals(_ refused: [ServiceStatus.Refused]) -> [String] {
    let counted = refused.filter { $0.count > 0 }
    return counted.isEmpty ? ["0"] : list(counted.map { "\($0.reason) \($0.count)" })
  }

  /// The bounds of the histogram below which half, nine tenths and 99 of 100 connections ended; nil if none has.
  private static func durations(_ histogram: DurationHistogram) -> [String]? {
    let total = histogram.counts.reduce(0, &+)
    guard total > 0 else { return nil }
    let texts = [50, 90, 99].map { percent -> String in
      var seen: UInt64 = 0
      for (index, count) in histogram.counts.enumerated() {
        seen &+= count
        guard Double(seen) >= Double(total) * Double(percent) / 100 else { continue }
        if index < DurationHistogram.bounds.count {
          return "\(percent) % under \(bound(DurationHistogram.bounds[index]))"
        }
        return "\(100 - percent) % over \(bound(DurationHistogram.bounds[index - 1]))"
      }
      return "\(percent) % -"
    }
    return list(texts)
  }

  private static func bound(_ duration: Duration) -> String {
    duration < .seconds(1) ? "\(duration.components.attoseconds / 1_000_000_000_000_000)ms" : ColumnText.age(duration)
  }

  /// With commas between them.
  private static func list(_ parts: [String]) -> [String] {
    parts.enumerated().map { index, part in index == parts.count - 1 ? part : part + "," }
  }

  private static func wrapped(_ parts: [String], width: Int) -> [String] {
    var lines: [String] = []
    for part in parts.map(printableCell) {
      if let last = lines.last, last.utf8.count + 1 + part.utf8.count <= width {
        lines[lines.count - 1] += " " + part
      } else {
        lines.append(part)
      }
    }
    return lines
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - utf8.count)) }
}
