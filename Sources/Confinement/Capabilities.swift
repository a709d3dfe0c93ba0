import CConfinement
@_spi(Begat) import UnixCore

/// Capabilities of a process.
///
/// Source: capabilities(7).
public struct Capabilities: OptionSet, Hashable, Sendable {
  /// A bit for each capability's number in linux/capability.h.
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let changeOwner = Capabilities(rawValue: 1 << 0)
  public static let overrideFilePermissions = Capabilities(rawValue: 1 << 1)
  public static let kill = Capabilities(rawValue: 1 << 5)
  public static let setGroup = Capabilities(rawValue: 1 << 6)
  public static let setUser = Capabilities(rawValue: 1 << 7)
  public static let setCapabilities = Capabilities(rawValue: 1 << 8)
  public static let bindLowPorts = Capabilities(rawValue: 1 << 10)
  public static let lowerNice = Capabilities(rawValue: 1 << 23)
  public static let raiseLimits = Capabilities(rawValue: 1 << 24)

  public static let all = Capabilities(rawValue: .max)
  /// Those with which a process becomes any user, with any groups.
  public static let becomeOthers: Capabilities = [.setUser, .setGroup]

  /// Those of the calling process that have an effect now.
  public static var effective: Capabilities {
    var bits: UInt64 = 0
    return confinement_read_effective_capabilities(&bits) == 0 ? Capabilities(rawValue: bits) : []
  }

  /// Whether programs of the calling process may change their nice value at all: a filter of system calls, which they
  /// inherit, may forbid it.
  public static let mayChangeNice = confinement_may_change_nice()

  /// The least nice value that the calling process can let another user's program have: by the limit that it gives it.
  ///
  /// Source: getrlimit(2), RLIMIT_NICE.
  public static var leastNice: Int {
    guard !effective.contains(.raiseLimits) else { return -20 }
    let limit = (try? ResourceLimit.nice.current().hard) ?? 0
    return limit == 0 ? 0 : max(-20, 20 - Int(clamping: limit))
  }
}

/// The capability sets of a process.
public struct CapabilitySets: Hashable, Sendable {
  public var effective: Capabilities
  public var permitted: Capabilities
  public var inheritable: Capabilities
  public var bounding: Capabilities
  public var ambient: Capabilities

  /// Those of the calling thread; nil if they cannot be read.
  public static var current: CapabilitySets? {
    var sets = confinement_capability_sets()
    guard confinement_read_capabilities(&sets) == 0 else { return nil }
    return CapabilitySets(
      effective: Capabilities(rawValue: sets.effective), permitted: Capabilities(rawValue: sets.permitted),
      inheritable: Capabilities(rawValue: sets.inheritable), bounding: Capabilities(rawValue: sets.bounding),
      ambient: Capabilities(rawValue: sets.ambient))
  }
}
