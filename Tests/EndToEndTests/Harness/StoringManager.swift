import Foundation
import Glibc
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// A service manager with a descriptor store: it starts begatd, again and again, each time with the descriptors that the
/// one before has stored.
///
/// It keeps to systemd's rules: a descriptor that is stored already is not stored again, one whose peer is gone is dropped
/// unless FDPOLL=0 was said, beyond the limit nothing is stored, and a removal takes all descriptors of a name.
///
/// Source: sd_notify(3), `service_add_fd_store` of systemd.
final class StoringManager: @unchecked Sendable {
  let directory: TemporaryDirectory
  private let socket: Descriptor
  private let options: [String]
  private let capacity: Int
  private let condition = NSCondition()
  private var store: [Stored] = []
  /// The messages that came, as lists of lines.
  private var messages: [[String]] = []
  private var isReading = true
  private var left: Int?
  /// Each begatd that was started, the last one last.
  private(set) var programs: [RunningProgram] = []
  /// A line of what --ready-fd of the last one tells.
  private(set) var served: [Daemon.Served] = []
  /// The newest generation of each service when a begatd was killed.
  private var killed: [String: Int] = [:]

  private final class Stored {
    let name: String
    let descriptor: Descriptor
    let isPolled: Bool

    init(_ name: String, _ descriptor: consuming Descriptor, isPolled: Bool) {
      self.name = name
      self.descriptor = descriptor
      self.isPolled = isPolled
    }

    var isHungUp: Bool { isPolled && descriptor.hasHungUp }
  }

  /// - Parameter options: of begatd, besides its configuration.
  init(
    in directory: TemporaryDirectory, capacity: Int = 1024, options: [String] = ["--leave-listeners"]
  ) throws {
    self.directory = directory
    self.capacity = capacity
    self.options = options
    try directory.make("run")
    let bound = try UnixSocketFile.bind(at: directory.path("notify"), kind: .datagram, access: .init())
    socket = bound.socket
    let number = try socket.duplicate().release()
    Thread.detachNewThread { [self] in
      let socket = Descriptor(owning: number)
      while true {
        do {
          let message = try socket.receive(maxCount: 8192, maxPassed: Descriptor.maxPassed)
          guard !message.bytes.isEmpty else { return }
          let text = String(decoding: message.bytes, as: UTF8.self)
          take(text.split(separator: "\n").map(String.init), message.descriptors)
        } catch { return }
      }
    }
  }

  deinit { shutdown(socket.number, CInt(SHUT_RD)) }

  private func change<Result>(_ body: () throws -> Result) rethrows -> Result {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return try body()
  }

  private func take(_ lines: [String], _ passed: consuming DescriptorList) {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    while !isReading { condition.wait() }
    messages.append(lines)
    if let left {
      guard left > 0 else { return }
      self.left = left - 1
    }
    let name = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) } ?? "stored"
    if lines.contains("FDSTOREREMOVE=1") { store.removeAll { $0.name == name } }
    guard lines.contains("FDSTORE=1") else { return }
    while let descriptor = passed.takeFirst() {
      store.removeAll(where: \.isHungUp)
      guard store.count < capacity, !store.contains(where: { StoringManager.isSame($0.descriptor, descriptor) }) else {
        continue
      }
      store.append(Stored(name, descriptor, isPolled: !lines.contains("FDPOLL=0")))
    }
  }

  private static func isSame(_ one: borrowing Descriptor, _ other: borrowing Descriptor) -> Bool {
    var facts = (stat(), stat())
    return fstat(one.number, &facts.0) == 0 && fstat(other.number, &facts.1) == 0
      && facts.0.st_dev == facts.1.st_dev && facts.0.st_ino == facts.1.st_ino
  }

  // MARK: The store

  /// The names of what it has.
  var names: [String] {
    change {
      store.removeAll(where: \.isHungUp)
      return store.map(\.name).sorted()
    }
  }

  /// Waits until the names are as they should be.
  func awaitNames(_ isRight: ([String]) -> Bool, within limit: Duration = .seconds(10)) throws {
    guard eventually(within: limit, { isRight(names) }) else { throw HarnessFailure("the store has \(names)") }
  }

  /// Stops reading, or goes on.
  func setReading(_ reads: Bool) { change { isReading = reads } }

  /// From now on only so many messages count, as if begatd had been killed after the last one; nil for all.
  func obey(only count: Int?) { change { left = count } }

  /// Lets a test put something else in the place of what was stored.
  func replace(_ name: String, by descriptor: consuming Descriptor) {
    condition.lock()
    defer { condition.unlock() }
    store.removeAll { $0.name == name }
    store.append(Stored(name, descriptor, isPolled: false))
  }

  func remove(where isUnwanted: (String) -> Bool) { change { store.removeAll { isUnwanted($0.name) } } }

  /// How many messages have come so far that have such a line.
  func count(_ line: String) -> Int { change { messages.count { $0.contains(line) } } }

  // MARK: begatd

  var daemon: RunningProgram {
    get throws {
      guard let last = programs.last else { throw HarnessFailure("no begatd was started") }
      return last
    }
  }

  /// The log of all begatds.
  var log: String { programs.map(\.errors.text).joined() }

  /// Starts begatd with all that is stored, and waits until it is ready.
  func start(_ configuration: String? = nil) throws {
    if let configuration { try directory.write(configuration, to: "begatd.toml") }
    let ready = try PipeEnds()
    let (numbers, names): ([CInt], String) = change {
      store.removeAll(where: \.isHungUp)
      return (store.map { $0.descriptor.number }, store.map(\.name).joined(separator: ":"))
    }
    var environment = [
      "RUNTIME_DIRECTORY=\(directory.path("run"))", "STATE_DIRECTORY=\(directory.path("run"))",
      "NOTIFY_SOCKET=\(directory.path("notify"))", "FDSTORE=\(capacity)",
    ]
    if !numbers.isEmpty { environment += ["LISTEN_FDS=\(numbers.count)", "LISTEN_FDNAMES=\(names)"] }
    let program = try RunningProgram(
      try Programs.begatd(),
      ["--config", directory.path("begatd.toml"), "--ready-fd", "\(3 + numbers.count)"] + options,
      environment: environment, passing: numbers + [ready.writeEnd.number], isActivated: !numbers.isEmpty)
    programs.append(program)
    let reading = ready.readEnd
    _ = consume ready.writeEnd
    let lines = CollectedOutput(reading: reading)
    guard lines.awaitEnd(within: .seconds(15)), !lines.text.isEmpty else {
      throw HarnessFailure("begatd did not become ready; standard error:\n\(program.errors.text)")
    }
    served = lines.lines.map { line in
      let words = line.split(separator: " ").map(String.init)
      return Daemon.Served(service: words[0], address: words[1], isDatagram: words.count == 3)
    }
  }

  /// The address of a service.
  func address(_ service: String, datagram: Bool = false) throws -> String {
    guard let found = served.first(where: { $0.service == service && $0.isDatagram == datagram }) else {
      throw HarnessFailure("\(service) is not served: \(served)")
    }
    return found.address
  }

  /// Ends begatd in order, and starts the next one.
  func restart(_ configuration: String? = nil) throws {
    try stop()
    try start(configuration)
  }

  func stop() throws {
    try daemon.send(.terminate)
    let status = try daemon.awaitEnd()
    guard status == .exited(code: 0) else { throw HarnessFailure("begatd: \(status)\n\(log)") }
  }

  /// Kills begatd once all that it has is stored, and starts the next one.
  func killAndStart(_ configuration: String? = nil) throws {
    let services = Set(served.map(\.service))
    try awaitNames { names in
      names.contains { $0.hasPrefix("begat-state ") }
        && services.allSatisfy { newestGeneration(of: $0, in: names) > killed[$0] ?? 0 }
    }
    for service in services { killed[service] = newestGeneration(of: service, in: names) }
    try daemon.kill()
    try start(configuration)
  }

  private func newestGeneration(of service: String, in names: [String]) -> Int {
    let start = "begat-channel \(service) "
    return names.filter { $0.hasPrefix(start) }.compactMap { Int($0.dropFirst(start.count)) }.max() ?? 0
  }

  /// The connections that `begat ps` shows, by their clients' addresses.
  func connections() throws -> [String: [String: Any]] {
    let program = try RunningProgram.run(
      try Programs.begat(), ["ps", "--json", "--control", directory.path("run/control")])
    let answer = try json(program, as: [String: Any].self)
    let rows = answer["connections"] as? [[String: Any]] ?? []
    return Dictionary(rows.map { ($0["peer"] as? String ?? "?", $0) }) { $1 }
  }

  /// Runs `begat` against the begatd that runs now.
  @discardableResult
  func begat(_ words: String..., naming more: [String] = [], expecting status: ExitStatus = .exited(code: 0)) throws
    -> String
  {
    let program = try RunningProgram.run(
      try Programs.begat(), words + more + ["--control", directory.path("run/control")])
    guard program.status == status else {
      throw HarnessFailure("begat \(words): \(program.status!); \(program.errors.text)\n\(log)")
    }
    return program.output.text + program.errors.text
  }

  /// Stops begatd for good: the store is given up, as at a stop of the unit, and listeners are ended.
  func end() throws {
    try stop()
    change { store = [] }
  }
}
