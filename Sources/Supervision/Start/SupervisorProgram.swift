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
  private static let success: CInt = 0
  private static let failure: CInt = 1
  private static let badConfiguration: CInt = 78

  /// What begatd makes is for itself, unless the configuration says otherwise.
  private static let fileModeMask: mode_t = 0o077

  /// - Parameter configurationFile: nil for the usual place or the embedded default.
  /// - Parameter readyDescriptor: gets a line for each bound address and is closed when all is served.
  /// - Parameter leavesTerminal: returns to the starter as soon as all is served.
  /// - Parameter pidFile: gets the process number when all is served, and is removed at the end.
  /// - Parameter leavesListeners: a stop ends as soon as no client is accepted any more.
  public static func run(
    configurationFile: String?, readyDescriptor: CInt?, leavesTerminal: Bool, leavesListeners: Bool,
    pidFile: String?
  ) -> CInt {
    let programs: OwnPrograms
    do throws(SystemCallError) {
      try StandardStreams.ensureOpen()
      try takeOverProcess(readyDescriptor)
      try StandardStreams.openNull()
      programs = try OwnPrograms()
      try DaemonPrivileges.reduceEffective()
    } catch { return complain("\(error)", failure) }

    // Read again later, from another working directory perhaps.
    let file = configurationFile.map(absolutePath)
    let identities = IdentityKeeper.writing()
    var attempts = leavesTerminal ? nil : StartAttempts(configurationFile: configurationFile)
    let loaded: (configuration: LoadedConfiguration, version: ConfigurationVersion)
    switch load(configurationFile, identities, &attempts) {
    case .success(let success): loaded = success
    case .failure(let end): return end.status
    }
    let job = Job(
      programs: programs, loaded: loaded.configuration, version: loaded.version, identities: identities,
      configurationFile: file, readyDescriptor: readyDescriptor, leavesListeners: leavesListeners,
      pidFile: pidFile.map(absolutePath), attempts: attempts)
    do throws(SystemCallError) {
      guard leavesTerminal else { return serve(job) { _, _ in } }
      let starter = StarterBox(try Daemon.detach(umask: fileModeMask))
      return serve(job, isDetached: true) { starter.release(status: $0, keepingErrors: $1) }
    } catch { return complain("\(error)", failure) }
  }

  /// The exit status of a begatd that does not start.
  private struct StartEnd: Error {
    let status: CInt
  }

  /// Reads the configuration, under a service manager also several times.
  private static func load(
    _ file: String?, _ identities: IdentityKeeper, _ attempts: inout StartAttempts?
  ) -> Result<(configuration: LoadedConfiguration, version: ConfigurationVersion), StartEnd> {
    while true {
      let version = ConfigurationVersion(file: file)
      do throws(ConfigurationProblems) {
        return .success((LoadedConfiguration(try Configuration.load(file: file, identities: identities)), version))
      } catch {
        let lines = error.problems.map(\.description)
        guard attempts != nil else { return .failure(StartEnd(status: complain(lines, badConfiguration))) }
        switch attempts?.failed(lines, isRepeatable: true, version) {
        case .retry: break
        case .stop: return .failure(StartEnd(status: success))
        case .exit, nil: return .failure(StartEnd(status: badConfiguration))
        }
      }
    }
  }

  /// The services to offer.
  private struct Job {
    let programs: OwnPrograms
    let loaded: LoadedConfiguration
    let version: ConfigurationVersion
    let identities: IdentityKeeper
    let configurationFile: String?
    let readyDescriptor: CInt?
    let leavesListeners: Bool
    let pidFile: String?
    /// Nil without a service manager.
    var attempts: StartAttempts?

    /// Says why begatd does not start; under a service manager, waits before it exits.
    ///
    /// - Returns: the exit status.
    mutating func failed(_ lines: [String], isLogged: Bool = false) -> CInt {
      guard let next = attempts?.failed(lines, isLogged: isLogged, isRepeatable: false, version) else {
        return isLogged ? failure : complain(lines, failure)
      }
      return next == .stop ? success : failure
    }
  }

  /// The path itself where the working directory cannot be found out.
  private static func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return "\(String(cString: current))/\(path)"
  }

  /// A known state, whatever the starter left: default dispositions, no signal blocked, no descriptor it forgot.
  private static func takeOverProcess(_ readyDescriptor: CInt?) throws(SystemCallError) {
    umask(fileModeMask)
    for signal in [Signal.child, .terminate, .interrupt, .hangUp, .quit] { signal.restoreDefault() }
    // The habit of sending USR1 after a rotation of logs must not end it.
    // A file at its size limit is an error to report, or to live with; and a terminal whose background may not write
    // (stty tostop) would stop begatd.
    for signal in [Signal.brokenPipe, .user1, .user2, .fileSizeLimit, Signal(rawValue: SIGTTOU)] { signal.ignore() }
    SignalSet().setThreadMask()
    let passed = getenv("LISTEN_FDS").flatMap { CInt(decimal: String(cString: $0)) } ?? 0
    let firstUnknown = 3 + max(0, min(passed, 1 << 20))
    guard let readyDescriptor, readyDescriptor >= firstUnknown else {
      return try DescriptorRange.close(from: firstUnknown)
    }
    try DescriptorRange.close(from: firstUnknown, through: readyDescriptor - 1)
    try DescriptorRange.close(from: readyDescriptor + 1)
  }

  /// - Parameter tellStarter: is called once with the status that the starter shall have, and whether standard error
  ///   stays open.
  private static func serve(
    _ job: Job, isDetached: Bool = false, tellStarter: @escaping (CInt, Bool) -> Void
  ) -> CInt {
    var job = job
    func give(_ status: CInt) -> CInt {
      tellStarter(status, false)
      return status
    }
    let attempts = job.attempts
    // From here on there is something to clean up: a stop waits until the loop takes it.
    SignalSet(.terminate, .interrupt, .hangUp, .quit, .user1).block()
    let limit = DescriptorLimit.raise()
    let configuration = job.loaded.configuration
    let logs: Logs
    do throws(LogSetup.Problem) {
      logs = try LogSetup.open(configuration.daemon, program: job.programs.begatd, isDetached: isDetached)
    } catch {
      return give(job.failed([error.text]))
    }
    let logger = logs.logger
    for warning in configuration.warnings { logger.warning("\(warning)") }
    for warning in configuration.sandboxWarnings { logger.warning("\(warning)") }
    if let hard = try? ResourceLimit.openFiles.current().hard,
      let warning = configuration.descriptorWarning(limit: hard)
    {
      logger.warning("\(warning)")
    }
    let control: ControlServer?
    do throws(ControlSocketProblem) { control = try openControl(configuration.control, logger) } catch {
      return give(job.failed(["\(error)"]))
    }
    let first: FirstServices
    let store: DescriptorStore?
    do throws(StartProblems) {
      let passed = try takePassed()
      store = DescriptorStore.ofManager(holding: passed.kept, logger)
      first = try FirstServices(job.loaded.services, passed, store: store, logger)
    } catch {
      control?.close()
      return give(job.failed(error.lines))
    }
    let services = first.services

    do throws(SystemCallError) {
      try DaemonPrivileges.giveUpOthers(cutsBoundingSet: !configuration.allowsSetUserID)
      let standardError = StandardStreams.errorNumber(isKept: !isDetached || logs.keepsStandardError)
      let names =
        configuration.resolver != .none && services.contains { $0.configuration.settings.looksUpNames }
        ? try NameResolver(
          as: configuration.resolver, program: job.programs.begatd, standardError: standardError,
          limits: limit.ofPrograms) : nil
      let starter = ListenerStarter(
        programs: job.programs, drainTimeout: configuration.daemon.drainTimeout, names: names,
        bans: try SharedBans(first.bans, number: first.formerBans &+ 1), standardError: standardError,
        limits: limit.ofPrograms,
        datagramPorts: services.datagramPorts, keepsChannels: store != nil)
      for service in services {
        logger.info("\(service.configuration.limitsText)", metadata: service.logMetadata)
      }
      // A service manager has its status line instead.
      let isForPeople = !isDetached && getenv("NOTIFY_SOCKET") == nil
      let hasTerminal = Descriptor.withBorrowed(STDOUT_FILENO) { $0.isTerminal }
      let supervisor = try Supervisor(
        first, store: store, starter: starter, daemon: configuration.daemon,
        loader: try ConfigurationLoader(file: job.configurationFile, identities: job.identities), logs: logs,
        leavesListeners: job.leavesListeners
      ) {
        let outputs = [
          job.readyDescriptor.map { PendingOutput(Descriptor(owning: $0), ReadyReport.lines(services)) },
          isForPeople && hasTerminal
            ? standardOutput(ReadyReport.table(services, source: configuration.source)) : nil,
        ]
        if isForPeople, !hasTerminal {
          logger.info("version \(ReadyReport.head(services, source: configuration.source))")
        }
        if let path = job.pidFile {
          do throws(SystemCallError) { try ProcessNumberFile.write(path) } catch {
            logger.error("--pid-file: \(error)\(DaemonPrivileges.fileAdvice(error.code))")
          }
        }
        LogSetup.leaveTerminal(logs)
        tellStarter(success, logs.keepsStandardError)
        attempts?.forget()
        return outputs.compactMap { $0 }
      }
      try supervisor.take(control, of: configuration)
      let status = supervisor.run()
      if let path = job.pidFile { ProcessNumberFile.removeIfOurs(path) }
      guard !supervisor.isStarted else { return status }
      guard status == success else { return give(job.failed(["a listener did not start"], isLogged: true)) }
      attempts?.forget()
      return give(success)
    } catch {
      for service in services { service.closeSockets() }
      control?.close()
      return give(job.failed([error.withAdvice]))
    }
  }

  private static func takePassed() throws(StartProblems) -> PassedSockets {
    do throws(SocketActivation.ActivationError) { return try PassedSockets() } catch {
      throw StartProblems(lines: ["\(error)"])
    }
  }

  /// Opens the control sockets before all others: a second begatd is then told so, and not that some port is taken.
  ///
  /// - Returns: nil if there are none, by choice or because the usual place for them cannot be used.
  private static func openControl(_ sockets: ControlSockets?, _ logger: Logger) throws(ControlSocketProblem)
    -> ControlServer?
  {
    guard let sockets else { return nil }
    do throws(ControlSocketProblem) {
      return try ControlServer.open(sockets, until: Deadline(after: .seconds(2)))
    } catch {
      guard sockets.isDefault, !error.isInUse else { throw error }
      logger.warning("\(error); served without it: begat status and other commands cannot reach this begatd")
      return nil
    }
  }

  private static func standardOutput(_ text: String) -> PendingOutput? {
    Descriptor.withBorrowed(STDOUT_FILENO) { (stream) -> PendingOutput? in
      do throws(SystemCallError) { return PendingOutput(try stream.duplicate(notBelow: 3), text) } catch { return nil }
    }
  }

  private static func complain(_ text: String, _ status: CInt) -> CInt { complain([text], status) }

  private static func complain(_ texts: [String], _ status: CInt) -> CInt {
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
