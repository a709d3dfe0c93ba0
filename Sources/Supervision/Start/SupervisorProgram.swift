import Configuration
import Confinement
import ControlProtocol
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// begatd: from its settings to its exit status.
public enum SupervisorProgram {
  /// Exit statuses, as in sysexits(3) where it has one.
  static let success: CInt = 0
  static let failure: CInt = 1
  private static let badConfiguration: CInt = 78

  /// New files are private unless the configuration says otherwise.
  private static let fileModeMask: mode_t = 0o077

  /// - Parameter configurationFile: nil for the usual place or the embedded default.
  /// - Parameter readyDescriptor: gets a line for each bound address and is closed when all is served.
  /// - Parameter leavesTerminal: returns to the starter as soon as all is served.
  /// - Parameter pidFile: gets the process number when all is served, and is removed at the end.
  /// - Parameter leavesListeners: a stop ends as soon as no client is accepted any more.
  /// - Parameter takeover: what is taken over from another program of begatd in the same process; nil at a start.
  public static func run(
    configurationFile: String?, readyDescriptor: CInt?, leavesTerminal: Bool, leavesListeners: Bool,
    pidFile: String?, takeover: Takeover? = nil
  ) -> CInt {
    HeldProgram.takeName()
    // Read again later, from another working directory perhaps.
    var invocation = Invocation(
      configurationFile: configurationFile?.absolutePath, leavesListeners: leavesListeners,
      pidFile: pidFile?.absolutePath, isDetached: leavesTerminal)
    if let takeover {
      guard !takeover.isTrial else { return TrialProgram.run(takeover, configurationFile: configurationFile) }
      return goOn(takeover, &invocation)
    }
    let programs: OwnPrograms
    do throws(SystemCallError) {
      try StandardStreams.ensureOpen()
      try takeOverProcess(readyDescriptor)
      try StandardStreams.openNull()
      programs = try OwnPrograms()
      try DaemonPrivileges.reduceEffective()
    } catch { return failEarly("\(error)", leavesTerminal, invocation.configurationFile) }

    invocation.upgradePath = programs.begatd.startPath
    let identities = IdentityKeeper.writing()
    var attempts = leavesTerminal ? nil : StartAttempts(configurationFile: invocation.configurationFile)
    let loaded: LoadedConfiguration
    switch load(configurationFile, identities, &attempts) {
    case .success(let success): loaded = success
    case .failure(let end): return end.status
    }
    let job = Job(
      programs: programs, loaded: loaded, identities: identities, invocation: invocation,
      readyDescriptor: readyDescriptor, attempts: attempts)
    do throws(SystemCallError) {
      guard leavesTerminal else { return serve(job) { _, _ in } }
      let starter = StarterBox(try Daemon.detach(umask: fileModeMask))
      return serve(job) { starter.release(status: $0, keepingErrors: $1) }
    } catch { return complain("\(error)", failure) }
  }

  /// Says why begatd cannot even read its configuration; under a service manager, waits before it exits.
  private static func failEarly(_ text: String, _ leavesTerminal: Bool, _ configurationFile: String?) -> CInt {
    var attempts = leavesTerminal ? nil : StartAttempts(configurationFile: configurationFile)
    let version = ConfigurationVersion(file: configurationFile)
    guard let next = attempts?.failed([text], isRepeatable: false, version) else { return complain(text, failure) }
    return next == .stop ? success : failure
  }

  /// Reports a wrong command line; waits before the exit if systemd started this process, which would restart it
  /// immediately.  The first failure does not wait.
  ///
  /// - Parameter status: the exit status of such a begatd.
  /// - Returns: the exit status; nil, and nothing is said, for a process that another program has started.
  public static func refuseCommandLine(_ text: String, status: CInt) -> CInt? {
    // Children inherit the manager's socket, such as one that tries an upgrade.
    guard ServiceManagerStart.isDirect, var attempts = StartAttempts(configurationFile: nil) else { return nil }
    let next = attempts.failed([text], isRepeatable: false, ConfigurationVersion(file: nil))
    return next == .stop ? success : status
  }

  /// Leaves a descriptor to a message: one reaches a pipe by a descriptor of its own only, and there may be none left.
  static func freeDescriptor() { close(StandardStreams.nullNumber) }

  /// The exit status of a begatd that does not start.
  private struct StartEnd: Error {
    let status: CInt
  }

  /// Reads the configuration, under a service manager also several times.
  private static func load(
    _ file: String?, _ identities: IdentityKeeper, _ attempts: inout StartAttempts?
  ) -> Result<LoadedConfiguration, StartEnd> {
    while true {
      // By its absolute name, as at every later look.
      let version = ConfigurationVersion(file: file?.absolutePath)
      do throws(ConfigurationProblems) {
        return .success(LoadedConfiguration(try Configuration.load(file: file, identities: identities), version))
      } catch {
        let lines = error.problems.map(\.description)
        guard attempts != nil else {
          freeDescriptor()
          return .failure(StartEnd(status: complain(lines, badConfiguration)))
        }
        switch attempts?.failed(lines, isRepeatable: true, version) {
        case .retry: break
        case .stop: return .failure(StartEnd(status: success))
        case .exit, nil: return .failure(StartEnd(status: badConfiguration))
        }
      }
    }
  }

  /// Goes on in the place of another program of begatd, or lets that go on.
  private static func goOn(_ takeover: Takeover, _ invocation: inout Invocation) -> CInt {
    var lines: [String]
    let limit = DescriptorLimit.raise()
    do {
      let adoption = try Adoption(takeover)
      try StandardStreams.ensureOpen()
      prepareProcess()
      try StandardStreams.openNull()
      invocation.upgradePath = adoption.succession.upgradePath
      invocation.isDetached = adoption.succession.isDetached
      try DaemonPrivileges.reduceEffective()
      let identities = IdentityKeeper.writing()
      let version = ConfigurationVersion(file: invocation.configurationFile)
      let loaded = LoadedConfiguration(
        try Configuration.load(file: invocation.configurationFile, identities: identities), version)
      let job = Job(
        programs: try adoption.programs(), loaded: loaded, identities: identities, invocation: invocation,
        readyDescriptor: nil, adoption: adoption, limit: limit)
      return serve(job) { _, _ in }
    } catch let problems as ConfigurationProblems {
      lines = problems.problems.map(\.description)
    } catch let problem as Adoption.Failure {
      lines = problem.lines
    } catch { lines = ["\(error)"] }
    Adoption.giveBack(takeover, lines, invocation: invocation, limits: limit.ofPrograms)
    return complain(lines, failure)
  }

  /// A known state, whatever the starter left: default dispositions, no signal blocked, no descriptor it forgot.
  private static func takeOverProcess(_ readyDescriptor: CInt?) throws(SystemCallError) {
    prepareProcess()
    for signal in [Signal.child, .terminate, .interrupt, .hangUp, .quit] { signal.restoreDefault() }
    SignalSet().setThreadMask()
    let passed = getenv("LISTEN_FDS").flatMap { CInt(decimal: String(cString: $0)) } ?? 0
    let firstUnknown = 3 + max(0, min(passed, 1 << 20))
    guard let readyDescriptor, readyDescriptor >= firstUnknown else {
      return try DescriptorRange.close(from: firstUnknown)
    }
    try DescriptorRange.close(from: firstUnknown, through: readyDescriptor - 1)
    try DescriptorRange.close(from: readyDescriptor + 1)
  }

  private static func prepareProcess() {
    umask(fileModeMask)
    // The habit of sending USR1 after a rotation of logs must not end it.
    // A file at its size limit is an error to report, or to live with; and a terminal whose background may not write
    // (stty tostop) would stop begatd.
    for signal in [Signal.brokenPipe, .user1, .user2, .fileSizeLimit, Signal(rawValue: SIGTTOU)] { signal.ignore() }
  }

  static func complain(_ text: String, _ status: CInt) -> CInt { complain([text], status) }

  static func complain(_ texts: [String], _ status: CInt) -> CInt {
    for text in texts { StandardErrorMessage.write(text, of: "begatd") }
    return status
  }
}

/// Keeps the starter's end where closures can reach it.
private final class StarterBox {
  private var starter: Daemon.Starter?

  init(_ starter: consuming Daemon.Starter) { self.starter = consume starter }

  func release(status: CInt, keepingErrors keepsErrors: Bool) {
    starter.take()?.release(status: status, keepingErrors: keepsErrors)
  }
}
