import CConfinement

/// The means to confine processes that the kernel and this process's own confinement offer.
///
/// Source: landlock(7), seccomp(2).
public struct KernelSupport: Hashable, Sendable {
  /// The version of Landlock's interface; 0 without it.
  public var landlockVersion: Int
  /// Whether filters of system calls can be loaded.
  public var takesFilters: Bool

  public init(landlockVersion: Int, takesFilters: Bool) {
    self.landlockVersion = landlockVersion
    self.takesFilters = takesFilters
  }

  /// Asks the kernel.
  public static var current: KernelSupport {
    KernelSupport(
      landlockVersion: max(0, Int(confinement_landlock_version())), takesFilters: confinement_takes_filters())
  }

  /// Why `sandbox = "required"` cannot be had; nil if it can.
  public var missingRequirement: String? {
    if landlockVersion == 0 { return Self.noLandlock }
    return takesFilters ? nil : Self.noFilters
  }

  /// The missing parts of a sandbox, a line for each.
  public var warnings: [String] { missing.map { "sandbox: \($0.explanation)" } }

  /// The missing parts of a sandbox, in a few words each.
  public var gaps: [String] { missing.map { "without \($0.part)" } }

  private var missing: [(part: String, explanation: String)] {
    var missing: [(part: String, explanation: String)] = []
    let landlock = "Landlock \(landlockVersion) of this kernel"
    switch landlockVersion {
    case 0: missing.append(("Landlock", "\(Self.noLandlock): only file permissions keep a service from files"))
    case 1...3:
      missing.append(("Landlock's rules for TCP and signals", "\(landlock) restricts neither TCP nor signals"))
    case 4...5: missing.append(("Landlock's rules for signals", "\(landlock) does not restrict signals"))
    default: break
    }
    if !takesFilters {
      missing.append(("filters of system calls", "\(Self.noFilters): a service can make every system call"))
    }
    return missing
  }

  private static let noLandlock =
    "Landlock is missing, not among the kernel's modules (lsm=), or forbidden by the service manager (SystemCallFilter=)"
  private static let noFilters = "the kernel takes no filters of system calls (CONFIG_SECCOMP_FILTER)"
}
