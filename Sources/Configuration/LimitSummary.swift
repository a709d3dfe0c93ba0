import Admission
import Settings

/// The limits of all services for people: those that most of them have, once, and then the services that differ.
struct LimitSummary {
  private struct Limit {
    let key: String
    /// As in the configuration; nil where the key has no effect.
    let value: String?
  }

  private struct Row {
    let service: String
    let connections: [Limit]
    let datagrams: [Limit]
  }

  private let rows: [Row]

  init(_ services: [ServiceConfiguration]) {
    rows = services.map { service in
      Row(
        service: service.name,
        connections: service.connectionLimits.map { Limit(key: $0, value: $1) },
        datagrams: service.datagramLimitTexts.map { Limit(key: $0, value: $1) })
    }
  }

  func text(width: Int) -> String {
    let connections = LimitSummary.common(rows.map(\.connections))
    let datagrams = LimitSummary.common(rows.map(\.datagrams))
    var text =
      LimitSummary.paragraph("connections", connections, width) + LimitSummary.paragraph("datagrams", datagrams, width)
    let others = rows.flatMap { row -> [(name: String, parts: [String])] in
      let own = LimitSummary.differences(row.connections, from: connections)
      let datagramsOwn = LimitSummary.differences(row.datagrams, from: datagrams)
      var others: [(String, [String])] = []
      if !own.isEmpty { others.append((row.service, own)) }
      if !datagramsOwn.isEmpty { others.append((own.isEmpty ? row.service : "", ["datagrams:"] + datagramsOwn)) }
      return others
    }
    if !others.isEmpty {
      let table = TextTable.wrappingLast(others, width: width)
      text += "\n" + TextTable.aligned([["SERVICE", "DIFFERS IN"]] + table)
    }
    return text
  }

  /// The value that most services have of each key; among several such, the first.
  private static func common(_ services: [[Limit]]) -> [Limit] {
    var keys: [String] = []
    var counts: [String: [(value: String, count: Int)]] = [:]
    for limit in services.joined() {
      if !keys.contains(limit.key) { keys.append(limit.key) }
      guard let value = limit.value else { continue }
      var known = counts[limit.key] ?? []
      if let index = known.firstIndex(where: { $0.value == value }) {
        known[index].count += 1
      } else {
        known.append((value, 1))
      }
      counts[limit.key] = known
    }
    return keys.map { key in
      let known = counts[key] ?? []
      let most = known.map(\.count).max()
      return Limit(key: key, value: known.first { $0.count == most }?.value)
    }
  }

  private static func paragraph(_ title: String, _ limits: [Limit], _ width: Int) -> String {
    let parts = list(limits.compactMap { limit in limit.value.map { "\(limit.key) \($0)" } })
    guard !parts.isEmpty else { return "" }
    return TextTable.wrapped(["\(title):"] + parts, width: width - 2).enumerated()
      .map { index, line in (index == 0 ? "" : "  ") + line + "\n" }.joined()
  }

  /// Parts between which a line may end; none if nothing differs.
  private static func differences(_ limits: [Limit], from common: [Limit]) -> [String] {
    let values = limits.filter { limit in
      limit.value != nil && limit.value != common.first { $0.key == limit.key }?.value
    }
    let parts = list(values.map { "\($0.key) \($0.value ?? "")" })
    let idle = limits.filter { limit in
      limit.value == nil && common.first { $0.key == limit.key }?.value != nil
    }
    guard !idle.isEmpty else { return parts }
    let working = limits.filter { $0.value != nil }
    let note =
      idle.count > working.count
      ? ["only"] + list(working.map(\.key)) + ["have an effect"] : ["without"] + list(idle.map(\.key))
    return parts.isEmpty ? note : parts.dropLast() + [(parts.last ?? "") + ";"] + note
  }

  private static func list(_ parts: [String]) -> [String] {
    parts.enumerated().map { index, part in index == parts.count - 1 ? part : part + "," }
  }
}

extension ServiceConfiguration {
  /// The keys that limit its connections, with their values; nil for those without effect.  None for datagrams alone.
  fileprivate var connectionLimits: [(String, String?)] {
    guard waits || !streams.isEmpty || datagramLimits == nil else { return [] }
    let admission = settings.admission
    return [
      ("max-connections", waits ? nil : "\(admission.maxConnections)"),
      ("max-connections-per-source", waits ? nil : "\(admission.maxConnectionsPerSource)"),
      ("rate", admission.rate.text), ("rate-per-source", waits ? nil : admission.ratePerSource.text),
      ("when-full", waits ? nil : admission.whenFull.rawValue),
      ("deny-time", waits ? nil : admission.denyTime.map(DenyTimeText.render) ?? "none"),
      ("first-byte-timeout", effective("first-byte-timeout", settings.firstByteLimit)),
      ("idle-timeout", effective("idle-timeout", settings.idleTimeout)),
      ("max-duration", effective("max-duration", settings.maxDuration)), ("log", settings.log.rawValue),
    ]
  }

  fileprivate var datagramLimitTexts: [(String, String?)] {
    guard !waits, let limits = datagramLimits else { return [] }
    return [
      ("rate", limits.rate.text), ("rate-per-source", limits.ratePerSource.text),
      ("when-full", limits.whenFull.rawValue),
    ]
  }

  private func effective(_ name: String, _ limit: Duration?) -> String? {
    let hasEffect = !waits || name == "max-duration"
    guard hasEffect, ServiceSettings.key(named: name)?.reasonWithoutEffect(settings, mode) == nil else { return nil }
    return limit.map(DurationText.render) ?? "none"
  }
}
