import Configuration
import Confinement
import Control
import ControlProtocol
import Glibc
import Logging
import Settings
@_spi(Begat) import UnixCore

/// An upgrade that is under way.
enum UpgradeState {
  /// The new program is tried.
  case trial(Preflight, PollTable.Token?, ControlReply)
  /// It can take over; something must end first.
  case waiting(HeldProgram, version: String, deadline: Int64, ControlReply)

  /// The child that tries the new program; nil if there is none.
  var process: pid_t? { if case .trial(let preflight, _, _) = self { preflight.process } else { nil } }

  /// When something is to be done, CLOCK_MONOTONIC nanoseconds.
  var nextTime: Int64 {
    switch self {
    case .trial(let preflight, _, _): preflight.nextTime
    case .waiting(_, _, let deadline, _): min(deadline, SystemClock.monotonic() + 50_000_000)
    }
  }
}

/// Becoming another program, usually a newer version, in the same process: sockets, listeners and connections go on.
///
/// Until the new program is executed nothing has changed, and whatever fails is answered.  After that, the new program
/// either goes on or executes this one again (`Adoption`).
extension Supervisor {
  /// How long what stands in the way may take, in nanoseconds.
  private static let upgradePatience: Int64 = 10_000_000_000

  func requestUpgrade(_ reply: ControlReply) {
    guard upgrade == nil else { return reply.send(.failure(ControlFailure("an upgrade is under way already"))) }
    guard isStarted else { return refuseUpgrade(reply, "begatd is starting") }
    guard !stopping.isOrdered else { return refuseUpgrade(reply, "begatd is stopping") }
    guard reloads.queue.running == nil, reloads.queue.pending == nil else {
      return refuseUpgrade(reply, "a reload is under way; ask again when it has ended")
    }
    guard !hasChangedFiles else { return refuseUpgrade(reply, Self.changedFiles) }
    do throws(SystemCallError) {
      let program = try HeldProgram(at: invocation.upgradePath)
      if let danger = try program.danger { return refuseUpgrade(reply, danger) }
      let preflight = try startTrial(of: program)
      let token = try poll.add(preflight.number, .readable) { [unowned self] _ in readTrial() }
      upgrade = .trial(preflight, token, reply)
    } catch { refuseUpgrade(reply, "\(error.withAdvice)") }
  }

  /// Whether the files of the configuration are others than those in force: with them, neither the new program nor this one
  /// could be sure to go on.
  private var hasChangedFiles: Bool {
    ConfigurationVersion(file: invocation.configurationFile) != configurationVersion
  }

  private static let changedFiles =
    "the configuration has changed since it was read; put it in force first: begat reload"

  private func startTrial(of program: HeldProgram) throws(SystemCallError) -> Preflight {
    let state = SharedFile(try savedState().write())
    let succession = succession(state: state, asker: nil)
    // The document comes first, as descriptor 3.
    let numbers = succession.numbers
    let places = Dictionary(zip(numbers, 4...)) { first, _ in first }
    let document = try succession.renumbered { CInt(places[$0] ?? -1) }.write()
    let preflight = try Preflight(
      program, arguments: invocation.arguments(Takeover(document: 3, isTrial: true)),
      descriptors: [document.number] + numbers, limits: starter.limits
    ) { (start) throws(SystemCallError) in try DaemonPrivileges.lend(.ofDaemon, to: start) }
    withExtendedLifetime(state) {}
    return preflight
  }

  private func readTrial() {
    guard case .trial(let preflight, let token?, let reply) = upgrade, preflight.read() else { return }
    // Its death comes as a signal.  A child that has closed the pipe and lives on is killed when its time is over.
    poll.remove(token)
    upgrade = .trial(preflight, nil, reply)
  }

  /// Looks whether the child has ended, or has had its time.
  func advanceUpgrade() {
    switch upgrade {
    case nil: return
    case .trial(let preflight, let token, let reply):
      if stopping.isOrdered { preflight.end() } else { preflight.endIfLate() }
      guard let process = preflight.process, let status = Children.reap(process) else { return }
      if let token { poll.remove(token) }
      // Children whose SIGCHLD merged with that of the trial.
      reapOrphans()
      guard !stopping.isOrdered else { return refuseUpgrade(reply, "begatd is stopping") }
      do throws(Preflight.Refusal) {
        let version = try preflight.settle(status)
        let deadline = SystemClock.monotonic() + Self.upgradePatience
        upgrade = .waiting(preflight.program, version: version, deadline: deadline, reply)
        advanceUpgrade()
      } catch { refuseUpgrade(reply, error.reason, error.problems) }
    case .waiting(let program, let version, let deadline, let reply):
      guard !stopping.isOrdered else { return refuseUpgrade(reply, "begatd is stopping") }
      guard !hasChangedFiles else { return refuseUpgrade(reply, Self.changedFiles) }
      guard let obstacle = upgradeObstacle else { return become(program, version: version, reply) }
      if deadline <= SystemClock.monotonic() { refuseUpgrade(reply, "\(obstacle); ask again when that has changed") }
    }
  }

  /// Something that another program could not go on with; nil if there is nothing.
  private var upgradeObstacle: String? {
    if reloads.queue.running != nil || reloads.waiting != nil { return "a reload is under way" }
    if !resumptions.isEmpty { return "a service is being resumed" }
    if endOrders.deadline != nil { return "connections are being ended" }
    if !drainWaits.waits.isEmpty { return "a command waits for the end of a drain" }
    if !formerResolvers.isEmpty { return "a process that looks up names is ending" }
    for service in allServices {
      if !service.closing.isEmpty { return "\(service.name): the listener that closes sockets has not started yet" }
      if service.generations.contains(where: { $0.endDeadline != nil || $0.isKilled }) {
        return "\(service.name): a listener is being ended"
      }
      if let generation = service.generations.first(where: { !$0.outbox.isEmpty }) {
        return "\(service.name): listener \(generation.process) does not read"
      }
    }
    return nil
  }

  private func refuseUpgrade(_ reply: ControlReply, _ reason: String, _ problems: [String] = []) {
    upgrade = nil
    for problem in problems { logger.error("upgrade: \(problem)") }
    logger.error("upgrade refused: \(reason); begatd \(BegatVersion.text) goes on")
    reply.send(
      .failure(ControlFailure("\(reason); begatd \(BegatVersion.text) goes on", problems: problems)))
  }

  // MARK: The other program

  /// Becomes the program; returns only if it cannot be executed.
  private func become(_ program: HeldProgram, version: String, _ reply: ControlReply) {
    logger.notice(
      "upgrade: begatd \(BegatVersion.text) becomes \(escaped(version.utf8)), \(escaped(program.path.utf8))")
    manager.reloading(statusText)
    // Both are begatd's children; the next program starts its own, and what they have to do is done first.
    forgetResolverChannel()
    resolver?.stop()
    forgetLogFileChannel()
    let lost = logFile?.close() ?? 0
    recordLog.noteLoss(lost)
    let failure = execute(program, reply)
    do throws(SystemCallError) { try logFile?.start() } catch { logFile?.postpone("\(error)") }
    watchLogFile()
    startResolver()
    manager.ready(statusText)
    refuseUpgrade(reply, failure.withAdvice)
  }

  /// - Returns: why the program cannot be executed.
  private func execute(_ program: HeldProgram, _ reply: ControlReply) -> SystemCallError {
    do throws(SystemCallError) {
      let state = SharedFile(try savedState().write())
      let succession = succession(state: state, asker: reply.connection)
      let document = SharedFile(try succession.write())
      let takeover = Takeover(document: document.descriptor.number, former: starter.programs.begatd.number)
      try Execution(
        program: program, arguments: invocation.arguments(takeover),
        descriptors: [takeover.document] + succession.numbers, limits: starter.limits
      ).run()
    } catch { return error }
  }

  /// The descriptors and state for the other program.
  private func succession(state: SharedFile, asker: CInt?) -> Succession {
    var succession = Succession()
    func keep(_ name: KeptName, _ number: CInt) {
      succession.kept.append(Succession.Named(name: name.text, number: number))
    }
    keep(.state(1), state.descriptor.number)
    keep(.bans(starter.bans.number), starter.bans.table.object.number)
    if let resolver { keep(.nameCache(version: NameResolver.cacheVersion), resolver.cacheNumber) }
    for socket in services.flatMap(\.sockets) {
      if let name = socket.passedName {
        succession.passed.append(Succession.Named(name: name, number: socket.descriptor.number))
      } else {
        keep(socket.keptName, socket.descriptor.number)
      }
    }
    for service in allServices {
      // A service that was removed and came back has one entry for its listeners of before, and that has no book.
      if services.contains(where: { $0 === service }) {
        keep(.book(service: service.name), service.admissionBook.number)
      }
      for generation in service.generations {
        let (name, number) = (service.name, generation.number)
        if generation.isChild {
          keep(.firstChannel(service: name, generation: number), generation.channel.number)
        }
        if let kept = generation.keptChannel {
          keep(.channel(service: name, generation: number), kept.descriptor.number)
        }
        keep(.board(service: name, generation: number), generation.boardFile.descriptor.number)
        if let requests = generation.nameRequests {
          keep(.nameRequests(service: name, generation: number), requests.descriptor.number)
        }
      }
    }
    succession.stored = store?.storedNames
    succession.doors = (control?.doors ?? []).map { door in
      Succession.Door(
        path: door.path, number: door.socket.descriptor.number, takesOrders: door.takesOrders,
        device: UInt64(door.file.device), inode: UInt64(door.file.inode))
    }
    succession.asker = asker
    succession.begatd = Succession.Held(starter.programs.begatd)
    succession.listener = Succession.Held(starter.programs.listener)
    succession.upgradePath = invocation.upgradePath
    succession.isDetached = invocation.isDetached
    succession.startTime = controlFacts.startTime
    succession.reloads = UInt64(controlFacts.reloads.succeeded)
    succession.refusedReloads = UInt64(controlFacts.reloads.refused)
    succession.keptDrains = keptDrains.sorted()
    return succession
  }
}
