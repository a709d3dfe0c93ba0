@_spi(Begat) import UnixCore

/// Names one connection: never the next client in the same slot, never the next listener's.
///
/// Written `SERVICE/GENERATION.SLOT.START`: `hello/2.17.1kpqzg2c`.
public struct ConnectionID: Hashable, Sendable {
  public let service: String
  /// The number of the service's listener that accepted it, from 1.
  public let generation: UInt64
  /// The connection's place in the scoreboard of that listener.
  public let slot: Int
  /// CLOCK_MONOTONIC, microseconds.
  public let start: Int64

  /// - Parameter started: CLOCK_MONOTONIC, nanoseconds, as in the scoreboard.
  public init(service: String, generation: UInt64, slot: Int, started: Int64) {
    self.service = service
    self.generation = generation
    self.slot = slot
    start = started / 1000
  }

  /// Whether the connection that began at this time, CLOCK_MONOTONIC nanoseconds, in the same slot is this one.
  public func isStarted(at nanoseconds: Int64) -> Bool { nanoseconds / 1000 == start }

  /// Reads what `description` writes; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    let numbers = parts[1].split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count == 3, let generation = UInt64(decimal: numbers[0]), let slot = Int(decimal: numbers[1]),
      numbers[2].utf8.allSatisfy({
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
      }),
      let start = Int64(numbers[2], radix: 36)
    else { return nil }
    service = String(parts[0])
    self.generation = generation
    self.slot = slot
    self.start = start
  }
}

extension ConnectionID: CustomStringConvertible {
  public var description: String { "\(service)/\(generation).\(slot).\(String(start, radix: 36))" }
}
