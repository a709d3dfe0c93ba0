import Admission
import CSharedLayouts
@_spi(Begat) import UnixCore

/// An order to end connections of a listener: SIGTERM, and SIGKILL five seconds later.
///
/// A listener ends none but processes that it has started for a connection and has not reaped yet.
public struct EndOrder: Hashable, Sendable {
  /// Which connections are to be ended.
  public enum Selection: Hashable, Sendable {
    case everything
    /// The connection that a slot of the scoreboard shows: another process with the same number does not match.
    ///
    /// `started` is the slot's, CLOCK_MONOTONIC in nanoseconds.
    case connection(process: Int32, slot: UInt32, started: Int64)
    /// Connections from the addresses of a network.
    case source(IPNetwork)
    /// Connections that began before an instant, CLOCK_MONOTONIC in nanoseconds.
    case startedBefore(Int64)
  }

  /// The answer has the same number.
  public var number: UInt32
  public var selection: Selection

  public init(number: UInt32, _ selection: Selection) {
    self.number = number
    self.selection = selection
  }
}

extension EndOrder.Selection {
  private static let everythingCode: UInt32 = 0
  private static let connectionCode: UInt32 = 1
  private static let sourceCode: UInt32 = 2
  private static let startedBeforeCode: UInt32 = 3

  init?(_ native: begat_end_order) {
    switch native.selection {
    case Self.everythingCode: self = .everything
    case Self.connectionCode:
      self = .connection(process: native.pid, slot: native.slot, started: native.started)
    case Self.sourceCode:
      let text = withUnsafeBytes(of: native.network) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard let network = try? IPNetwork(parsing: text) else { return nil }
      self = .source(network)
    case Self.startedBeforeCode: self = .startedBefore(native.started)
    default: return nil
    }
  }

  var native: begat_end_order {
    var native = begat_end_order()
    switch self {
    case .everything: native.selection = Self.everythingCode
    case .connection(let process, let slot, let started):
      native.selection = Self.connectionCode
      native.pid = process
      native.slot = slot
      native.started = started
    case .source(let network):
      native.selection = Self.sourceCode
      withUnsafeMutableBytes(of: &native.network) { room in
        var text = ByteWriter(room)
        text.append(network.description)
      }
    case .startedBefore(let instant):
      native.selection = Self.startedBeforeCode
      native.started = instant
    }
    return native
  }
}
