import Configuration
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Everything that a program of begatd takes over from the program before, in the same process.
///
/// It works with copies of the descriptors until it is certain that it goes on.  Until then, the program before can be
/// executed again, and finds the originals.
final class Adoption {
  /// Why this program cannot go on; one line each.
  struct Failure: Error {
    var lines: [String]
  }

  let takeover: Takeover
  let succession: Succession

  /// Numbers that are no longer open.
  private let missing: Set<CInt>

  /// Reads the document.
  ///
  /// It comes before all else: a descriptor that is missing is not found out any more when its number has been given to
  /// another file.
  init(_ takeover: Takeover) throws(Failure) {
    self.takeover = takeover
    let document = takeover.document
    do throws(SavedState.Problem) {
      succession = try Descriptor.withBorrowed(document) { (file) throws(SavedState.Problem) in
        try Succession(reading: file)
      }
    } catch { throw Failure(lines: ["\(error)"]) }
    missing = Set(succession.numbers.filter { fcntl($0, F_GETFD) == -1 })
  }

  /// Refuses to go on without some of the descriptors.
  private func require(_ number: CInt, _ what: String) throws(Failure) {
    guard missing.contains(number), !isReturn else { return }
    throw Failure(lines: ["\(SystemCallError("fcntl", on: "\(what), descriptor \(number)", code: .badFileDescriptor))"])
  }

  /// Whether this is the program of before, after a newer one could not go on: it goes on with what is there.
  var isReturn: Bool { takeover.refusal != nil }

  private static func copy(_ number: CInt, _ what: String) throws(SystemCallError) -> Descriptor {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw SystemCallError("fcntl", on: what, code: ErrorCode(rawValue: errno)) }
    return Descriptor(owning: copy)
  }

  /// A copy of a descriptor; nil only for a program that has returned.
  private func copy(_ number: CInt, _ what: String) throws(Failure) -> Descriptor? {
    try require(number, what)
    guard !missing.contains(number) else { return nil }
    do throws(SystemCallError) { return try Adoption.copy(number, what) } catch {
      guard isReturn else { throw Failure(lines: ["\(error)"]) }
      return nil
    }
  }

  /// The sockets that the service manager passed, and the descriptors that outlive begatd.
  func passedSockets() throws(Failure) -> PassedSockets {
    var passed = PassedSockets.none
    for socket in succession.passed {
      if let copy = try copy(socket.number, socket.name) { passed.add(copy, named: socket.name) }
    }
    try addKept(to: passed.kept)
    return passed
  }

  /// The descriptors that outlive begatd.
  func keptDescriptors() throws(Failure) -> KeptDescriptors {
    let kept = KeptDescriptors()
    try addKept(to: kept)
    return kept
  }

  private func addKept(to kept: KeptDescriptors) throws(Failure) {
    for descriptor in succession.kept {
      if let copy = try copy(descriptor.number, descriptor.name) { kept.add(copy, named: descriptor.name) }
    }
  }

  /// Refuses to go on without a socket that the service manager passed, and leaves all of them as they are: the running
  /// begatd may let them take no clients at present.
  func requirePassedSockets() throws(Failure) {
    for socket in succession.passed { try require(socket.number, socket.name) }
  }

  /// The control sockets; nil if there were none.
  func controlServer() throws(Failure) -> ControlServer? {
    var doors: [ControlDoor] = []
    for door in succession.doors {
      guard let copy = try copy(door.number, door.path) else { continue }
      do throws(SystemCallError) {
        let file = UnixSocketFile(path: UnixPath(door.path), device: dev_t(door.device), inode: ino_t(door.inode))
        doors.append(
          ControlDoor(
            try ListeningSocket(adopting: copy), file: file, path: door.path, takesOrders: door.takesOrders))
      } catch { if !isReturn { throw Failure(lines: ["\(door.path): \(error)"]) } }
    }
    guard !doors.isEmpty else { return nil }
    do throws(SystemCallError) { return try ControlServer(doors) } catch { throw Failure(lines: ["\(error)"]) }
  }

  /// The programs of this begatd: those of its version.
  func programs() throws(SystemCallError) -> OwnPrograms {
    // Where they were, another version may be by now.
    guard isReturn, let begatd = held(succession.begatd), let listener = held(succession.listener) else {
      return try OwnPrograms()
    }
    return OwnPrograms(begatd: begatd, listener: listener)
  }

  private func held(_ program: Succession.Held) -> HeldProgram? {
    guard let file = try? copy(program.number, program.path) else { return nil }
    return HeldProgram(file, path: program.path)
  }

  /// The answer that the command that asked for the upgrade waits for; nil if it is gone.
  func reply(of server: ControlServer?) -> ControlReply? {
    guard let server, let asker = succession.asker, let door = server.doors.first(where: \.takesOrders),
      let connection = try? copy(asker, "the connection of begat upgrade")
    else { return nil }
    return try? server.adopt(connection, at: door)
  }

  /// This program goes on: the originals are closed.
  func finish() {
    for number in Set(succession.numbers + [takeover.document]).subtracting(missing) where number >= 3 { close(number) }
  }

  /// Executes the program before again; returns only if that fails, or there is none.
  ///
  /// - Parameter failure: why this one cannot go on.
  func giveBack(_ failure: [String], invocation: Invocation, limits: [Program.Limit]) {
    Adoption.giveBack(takeover, failure, invocation: invocation, limits: limits)
  }

  /// The same where not even the document can be read.
  static func giveBack(_ takeover: Takeover, _ failure: [String], invocation: Invocation, limits: [Program.Limit]) {
    guard !takeover.isTrial, takeover.refusal == nil, let former = takeover.former else { return }
    // The kernel limits the length of an argument.
    let reason = String(failure.joined(separator: "; ").prefix(4096))
    let order = Takeover(document: takeover.document, former: former, refusal: reason)
    do throws(SystemCallError) {
      try Execution(
        program: HeldProgram(try copy(former, "the program before"), path: "begatd"),
        arguments: invocation.arguments(order), descriptors: [], limits: limits
      ).run()
    } catch {
      StandardErrorMessage.write("the program before cannot be executed again: \(error)", of: "begatd")
    }
  }
}
