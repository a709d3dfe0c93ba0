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
  public var warnings: [String] { explanations.map { "sandbox: \($0)" } }

  /// The missing parts of a sandbox, in a few words each.
  public var gaps: [String] {
    var gaps: [String] = []
    switch landlockVersion {
    case 0: gaps.append("without Landlock")
    case 1...3: gaps.append("without Landlock's rules for TCP and signals")
    case 4...5: gaps.append("without Landlock's rules for signals")
    default: break
    }
    if !takesFilters { gaps.append("without filters of system calls") }
    return gaps
  }

  private var explanations: [String] {
    var gaps: [String] = []
    switch landlockVersion {
    case 0: gaps.append("\(Self.noLandlock): only file permissions keep a service from files")
    case 1...3: gaps.append("Landlock \(landlockVersion) of this kernel restricts neither TCP nor signals")
    case 4...5: gaps.append("Landlock \(landlockVersion) of this kernel does not restrict signals")
    default: break
    }
    if !takesFilters { gaps.append("\(Self.noFilters): a service can make every system call") }
    return gaps
  }

  private static let noLandlock =
    "Landlock is missing, not among the kernel's modules (lsm=), or forbidden by the service manager (SystemCallFilter=)"
  private static let noFilters = "the kernel takes no filters of system calls (CONFIG_SECCOMP_FILTER)"
}
