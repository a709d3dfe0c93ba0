import Configuration
import Confinement
import ControlProtocol
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Serving, from the configuration to the end.
extension SupervisorProgram {
  /// The services to offer.
  struct Job {
    let programs: OwnPrograms
    let loaded: LoadedConfiguration
    let identities: IdentityKeeper
    let invocation: Invocation
    let readyDescriptor: CInt?
    /// Nil without a service manager.
    var attempts: StartAttempts?
    /// The takeover from another program in this process; nil at a start.
    var adoption: Adoption?
    /// As it was before it was raised; nil where it is still to be raised.
    var limit: DescriptorLimit?

    /// Says why begatd does not start; under a service manager, waits before it exits.
    ///
    /// - Returns: the exit status.
    mutating func failed(_ lines: [String], isLogged: Bool = false) -> CInt {
      guard let next = attempts?.failed(lines, isLogged: isLogged, isRepeatable: false, loaded.version) else {
        return isLogged ? failure : complain(lines, failure)
      }
      return next == .stop ? success : failure
    }
  }

  /// - Parameter tellStarter: is called once with the status that the starter shall have, and whether standard error
  ///   stays open.
  static func serve(_ job: Job, tellStarter: @escaping (CInt, Bool) -> Void) -> CInt {
    var job = job
    let attempts = job.attempts
    var logFile: LogFile?
    func giveUp(_ lines: [String], isLogged: Bool = false) -> CInt {
      if let adoption = job.adoption, let limit = job.limit {
        logFile?.close()
        Adoption.giveBack(adoption.takeover, lines, invocation: job.invocation, limits: limit.ofPrograms)
      }
      freeDescriptor()
      let status = job.failed(lines, isLogged: isLogged)
      tellStarter(status, false)
      return status
    }
    let invocation = job.invocation
    let isDetached = invocation.isDetached
    // From here on there is something to clean up: a stop waits until the loop takes it.
    SignalSet(.terminate, .interrupt, .hangUp, .quit, .user1).block()
    let limit = job.limit ?? DescriptorLimit.raise()
    // Determined by a child now: at a reload that child would be reaped as an orphan.
    if getpid() == 1 { _ = Capabilities.mayChangeNice }
    let configuration = job.loaded.configuration
    let logs: Logs
    do throws(LogSetup.Problem) {
      logs = try LogSetup.open(configuration.daemon, program: job.programs.begatd, isDetached: isDetached)
    } catch {
      return giveUp([error.text])
    }
    logFile = logs.file
    let logger = logs.logger
    for warning in configuration.warnings { logger.warning("\(warning)") }
    for warning in configuration.sandboxWarnings { logger.warning("\(warning)") }
    if let hard = try? ResourceLimit.openFiles.current().hard,
      let warning = configuration.descriptorWarning(limit: hard)
    {
      logger.warning("\(warning)")
    }
    let control: ControlServer?
    do {
      control = try job.adoption?.controlServer() ?? openControl(configuration.control, logger)
    } catch {
      return giveUp((error as? Adoption.Failure)?.lines ?? ["\(error)"])
    }
    let first: FirstServices
    let store: DescriptorStore?
    do {
      let passed = try job.adoption?.passedSockets() ?? takePassed()
      store =
        if let adoption = job.adoption {
          .ofManager(holding: passed.kept, named: adoption.succession.stored, logger)
        } else {
          .ofManager(holding: passed.kept, logger)
        }
      // As long as the program before may have to go on, nothing leaves the store.
      first = try FirstServices(
        job.loaded.services, passed, keepsDrains: job.adoption != nil, store: job.adoption == nil ? store : nil, logger)
    } catch {
      if job.adoption == nil { control?.close() }
      return giveUp((error as? StartProblems)?.lines ?? (error as? Adoption.Failure)?.lines ?? ["\(error)"])
    }
    let services = first.services

    do throws(SystemCallError) {
      try DaemonPrivileges.giveUpOthers(cutsBoundingSet: !configuration.allowsSetUserID)
      let standardError = StandardStreams.errorNumber(isKept: !isDetached || logs.keepsStandardError)
      let names =
        configuration.resolver != .none && services.contains { $0.configuration.settings.looksUpNames }
        ? try NameResolver(
          as: configuration.resolver, knowing: first.nameCache, program: job.programs.begatd,
          standardError: standardError,
          limits: limit.ofPrograms) : nil
      let starter = ListenerStarter(
        programs: job.programs, drainTimeout: configuration.daemon.drainTimeout, names: names,
        bans: try SharedBans(first.bans, number: first.formerBans &+ 1), standardError: standardError,
        limits: limit.ofPrograms,
        datagramPorts: services.datagramPorts, keepsChannels: store != nil)
      // After an upgrade that is said with the start of each new listener.
      for service in services where job.adoption == nil {
        logger.info("\(service.configuration.limitsText)", metadata: service.logMetadata)
      }
      // A service manager has its status line instead.
      let isForPeople = !isDetached && getenv("NOTIFY_SOCKET") == nil
      let hasTerminal = Descriptor.withBorrowed(STDOUT_FILENO) { $0.isTerminal }
      let supervisor = try Supervisor(
        first, store: store, starter: starter, daemon: configuration.daemon,
        loader: try ConfigurationLoader(file: job.invocation.configurationFile, identities: job.identities), logs: logs,
        configurationVersion: job.loaded.version, invocation: invocation
      ) {
        let outputs = [
          job.readyDescriptor.map { PendingOutput(Descriptor(owning: $0), ReadyReport.lines(services)) },
          isForPeople && hasTerminal
            ? standardOutput(ReadyReport.table(services, source: configuration.source)) : nil,
        ]
        if isForPeople, !hasTerminal {
          logger.info("version \(ReadyReport.head(services, source: configuration.source))")
        }
        if let path = job.invocation.pidFile {
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
      let status = supervisor.run(adopting: job.adoption)
      if let path = job.invocation.pidFile { ProcessNumberFile.removeIfOurs(path) }
      guard !supervisor.isStarted else { return status }
      guard status == success else { return giveUp(["a listener did not start"], isLogged: true) }
      attempts?.forget()
      tellStarter(success, false)
      return success
    } catch {
      if job.adoption == nil {
        for service in services { service.closeSockets() }
        control?.close()
      }
      return giveUp([error.withAdvice])
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
}
