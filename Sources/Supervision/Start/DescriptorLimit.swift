@_spi(Begat) import UnixCore

/// How many descriptors begatd may have: as many as it can get, because each service needs about four.
///
/// The programs that it starts keep the limit that was in force before: select(2) cannot name a descriptor from 1,024 on,
/// so that a higher limit breaks programs that use it.
struct DescriptorLimit {
  /// The limit for programs; empty where it cannot be read.
  let ofPrograms: [Program.Limit]

  /// Raises begatd's own limit as far as permitted.
  static func raise() -> DescriptorLimit {
    guard let (soft, hard) = try? ResourceLimit.openFiles.current() else { return DescriptorLimit(ofPrograms: []) }
    // The kernel's own bound may be below an unlimited hard limit: the limit then stays as it is.
    if soft < hard { try? ResourceLimit.openFiles.set(soft: hard, hard: hard) }
    return DescriptorLimit(ofPrograms: [Program.Limit(.openFiles, soft: soft, hard: hard)])
  }
}

extension SystemCallError {
  /// The failure, with what to do where no descriptor is left, or begatd may not send a signal.
  var withAdvice: String {
    switch code {
    case .tooManyOpenFiles:
      let limit = (try? ResourceLimit.openFiles.current().soft).map { "all \($0)" } ?? "all"
      return "\(self); begatd has \(limit) descriptors in use that it may have: raise LimitNOFILE= in its unit, or the "
        + "hard limit of ulimit -n"
    case .tooManyOpenFilesInSystem: return "\(self); raise the machine's limit: sysctl fs.file-max"
    case .notPermitted where call == "kill": return "\(self); give begatd CAP_KILL"
    default: return "\(self)"
    }
  }
}
