import TestSupport
@_spi(Begat) import UnixCore

@testable import Admission

/// Generations of a listener that admit clients of a few sources, and the same in the plainest way.
final class HandoverModel {
  private struct Guest {
    let source: Int
    let ticket: Visits.Ticket
  }

  private final class Generation {
    let visits: Visits
    let column: Int
    var guests: [Guest] = []

    init(_ visits: Visits, column: Int) {
      self.visits = visits
      self.column = column
    }
  }

  private static let sourceCount = 12
  private let allowed: AdmissionLimits
  private let book: Descriptor
  private var random: SeededRandom
  private var now = 1000 * second
  /// The current one is the last.
  private var generations: [Generation] = []
  /// Killed ones: what they have left in the book stays there.
  private var killed: [Generation] = []
  private var columnsToClear: AdmissionColumns = []
  private var fullAt = [Int64](repeating: 0, count: sourceCount)
  private var serviceFullAt: Int64 = 0

  private(set) var admitted = 0
  private(set) var crashes = 0
  private(set) var lateEnds = 0
  private(set) var refusals: Set<Refusal> = []

  init(seed: UInt64) throws {
    random = SeededRandom(state: seed)
    book = try AdmissionBook.create(maxConnections: 20)
    allowed = try limits {
      $0.maxConnections = 20
      $0.maxConnectionsPerSource = 4
      $0.ratePerSource = try rate("2/s burst 3")
      $0.rate = try rate("12/s burst 6")
      $0.whenFull = .refuse
    }
    generations = [Generation(try Visits(allowed, book: book, column: 0, now: now), column: 0)]
  }

  private func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

  private func active(of source: Int) -> Int {
    generations.reduce(0) { $0 + $1.guests.count { $0.source == source } }
  }

  private var active: Int { generations.reduce(0) { $0 + $1.guests.count } }

  /// Does something in one of the generations; returns the difference from the model.
  func step() throws -> String? {
    now += Int64.random(in: 0...second / 8, using: &random)
    if chance(2) {
      let source = Int.random(in: 0..<HandoverModel.sourceCount, using: &random)
      if let fault = visit(source) { return fault }
    } else if let generation = generations.filter({ !$0.guests.isEmpty }).randomElement(using: &random) {
      end(Int.random(in: 0..<generation.guests.count, using: &random), in: generation)
    }
    return fault()
  }

  private func end(_ index: Int, in generation: Generation) {
    if generation !== generations.last { lateEnds += 1 }
    generation.visits.giveBack(generation.guests.remove(at: index).ticket)
  }

  private func visit(_ source: Int) -> String? {
    let expected = refusal(of: source)
    let current = generations.last!
    let address = SocketAddress.ipv4(IPv4Address(rawValue: UInt32(source)), port: 1)
    switch current.visits.admit(address, user: nil, now: now) {
    case .admitted(let ticket):
      guard expected == nil else { return "\(source) was admitted, against \(expected!.key)" }
      current.guests.append(Guest(source: source, ticket: ticket))
      fullAt[source] = max(fullAt[source], now) + second / 2
      serviceFullAt = max(serviceFullAt, now) + second / 12
      admitted += 1
      return ticket.placesOfSource == active(of: source) ? nil : "\(ticket.placesOfSource) places of \(source)"
    case .refused(let refusal):
      refusals.insert(refusal)
      return refusal == expected ? nil : "\(source) was refused by \(refusal.key), not \(expected?.key ?? "-")"
    case .wait: return "\(source) was to wait"
    }
  }

  private func refusal(of source: Int) -> Refusal? {
    if active(of: source) >= allowed.maxConnectionsPerSource { return .maxConnectionsPerSource }
    if fullAt[source] - 2 * second / 2 > now { return .ratePerSource }
    if active >= allowed.maxConnections { return .maxConnections }
    return serviceFullAt - 5 * (second / 12) > now ? .rate : nil
  }

  private func fault() -> String? {
    let admission = generations.last!.visits
    guard admission.active == active else { return "\(admission.active) places, not \(active)" }
    let others = active - generations.last!.guests.count
    return admission.admission.othersActive == others
      ? nil : "\(admission.admission.othersActive) of others, not \(others)"
  }

  /// Starts a successor; some generations are killed, others end when their last connection has.
  func handOver() throws -> String? {
    let mayStay = AdmissionBook.columnCount - 1
    while generations.count > mayStay || !generations.isEmpty && chance(6) {
      let generation = generations.remove(at: Int.random(in: 0..<min(generations.count, mayStay), using: &random))
      if chance(2) {
        crashes += 1
        killed.append(generation)
      } else {
        while !generation.guests.isEmpty { end(0, in: generation) }
      }
      let column = AdmissionColumns(generation.column)
      // Half of them end while there is a listener that can be told of it.
      if let current = generations.last, chance(2) {
        current.visits.admission.clear(column)
      } else {
        columnsToClear.insert(column)
      }
    }
    let used = Set(generations.map(\.column))
    let column = (0..<AdmissionBook.columnCount).filter { !used.contains($0) }.randomElement(using: &random)!
    let visits = try Visits(allowed, book: book, column: column, clearing: columnsToClear, now: now)
    columnsToClear = []
    generations.append(Generation(visits, column: column))
    return fault()
  }

  /// Ends all connections; returns whatever is then remembered.
  func endAll() throws -> String? {
    for generation in generations {
      while !generation.guests.isEmpty { end(0, in: generation) }
    }
    if let fault = fault() { return fault }
    now += 3600 * second
    generations = []
    let last = try Visits(allowed, book: book, column: 0, clearing: .all, now: now)
    return last.sources == 0 && last.active == 0 ? nil : "\(last.sources) sources are left"
  }
}
