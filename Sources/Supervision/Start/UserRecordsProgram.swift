import Configuration
import Confinement
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// `begatd --write-user-records`, run by root: writes the user records of a begatd that runs as another user and may not
/// write to the name service's directory.
///
/// It comes before begatd's start and before each reload.  The file of the numbers stays begatd's own.
public enum UserRecordsProgram {
  /// - Returns: 0 also for a configuration that is not in order: begatd says what is wrong with it.
  public static func run(configurationFile: String?) -> CInt {
    guard geteuid() == 0 else {
      say("--write-user-records: only root may write records of users; run it as root, as by ExecStartPre=+")
      return 1
    }
    do throws(SystemCallError) {
      try StandardStreams.ensureOpen()
      umask(0o022)
      let identities = IdentityKeeper.publishing()
      func load() -> Bool { (try? Configuration.load(file: configurationFile, identities: identities)) != nil }
      let isRead: Bool
      if let owner = IdentityKeeper.owner, owner.user != 0 {
        isRead = try DaemonPrivileges.acting(as: owner.user, group: owner.group, load)
      } else {
        isRead = load()
      }
      if isRead { identities.publishRecords() }
    } catch {
      // Names of users are a convenience: begatd starts without them.
      say("--write-user-records: \(error); ps(1) and ls(1) show numbers of users", .warning)
    }
    return 0
  }

  private static func say(_ text: String, _ severity: Severity = .error) {
    StandardErrorMessage.write(text, severity, of: "begatd")
  }
}
