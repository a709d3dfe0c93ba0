import CConfinement

/// Capabilities of a process.
///
/// Source: capabilities(7).
public struct Capabilities: OptionSet, Hashable, Sendable {
  /// A bit for each capability's number in linux/capability.h.
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let changeOwner = Capabilities(rawValue: 1 << 0)
  public static let kill = Capabilities(rawValue: 1 << 5)
  public static let setGroup = Capabilities(rawValue: 1 << 6)
  public static let setUser = Capabilities(rawValue: 1 << 7)
  public static let setCapabilities = Capabilities(rawValue: 1 << 8)
  public static let bindLowPorts = Capabilities(rawValue: 1 << 10)
  public static let lowerNice = Capabilities(rawValue: 1 << 23)
  public static let raiseLimits = Capabilities(rawValue: 1 << 24)

  /// Those of the calling process that have an effect now.
  public static var effective: Capabilities { Capabilities(rawValue: confinement_effective_capabilities()) }
}
