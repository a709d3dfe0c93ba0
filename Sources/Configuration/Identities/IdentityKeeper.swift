import Glibc
import Settings
import Synchronization
@_spi(Begat) import UnixCore

/// Remembers which service has which number, for one begatd or for a tool that looks at its file.
public final class IdentityKeeper: Sendable {
  private let store: IdentityStore?
  /// Whether new numbers are written.
  private let isWriting: Bool
  /// Whether the machine's name service gets records of the users, with each assignment.
  private let isPublishing: Bool
  /// Whether the numbers are those of the machine's own begatd.
  private let isMachines: Bool
  let survey: IdentitySurvey
  private let memory: Mutex<Memory>

  private struct Memory {
    /// The numbers that the file has, or should have if it is not writable.
    var list = IdentityList()
    /// Whether that has all numbers of the file.
    var isComplete = false
    /// Those of the present configuration.
    var numbers: [String: UInt32] = [:]
    /// Counts the assignments: of two at a time, only the later one is kept.
    var lastAssignment: UInt64 = 0
    /// Complaints are made once.
    var complaints: Set<String> = []
  }

  /// - Parameter directory: the state directory; nil for one that remembers in memory alone.
  /// - Parameter isPublishing: whether records of the users are written with each assignment.
  init(directory: String?, isWriting: Bool, isPublishing: Bool = true, on survey: IdentitySurvey) {
    store = directory.map(IdentityStore.init)
    self.isWriting = isWriting
    // Two begatds with memories of their own could give one number two names.
    isMachines = directory == IdentityStore.machineDirectory
    self.isPublishing = isWriting && isPublishing && isMachines
    self.survey = survey
    memory = Mutex(Memory())
  }

  /// For begatd, which gives numbers to new names.
  public static func writing() -> IdentityKeeper {
    IdentityKeeper(directory: IdentityStore.usualDirectory, isWriting: true, on: .current)
  }

  /// For root, which publishes the users of another user's begatd (`publishRecords`).
  public static func publishing() -> IdentityKeeper {
    IdentityKeeper(directory: IdentityStore.usualDirectory, isWriting: true, isPublishing: false, on: .current)
  }

  /// The user and group whose begatd remembers numbers on this machine: the owner of its state directory.  Nil where
  /// there is none yet.
  public static var owner: (user: uid_t, group: gid_t)? {
    guard let status = try? FileSystem.status(of: IdentityStore.usualDirectory) else { return nil }
    return (status.st_uid, status.st_gid)
  }

  /// For tools, which change nothing.
  public static func reading() -> IdentityKeeper {
    IdentityKeeper(directory: IdentityStore.usualDirectory, isWriting: false, on: .current)
  }

  /// For tests: nothing of a machine shows, and nothing of it is changed.
  public static func inMemory(on survey: IdentitySurvey = .empty) -> IdentityKeeper {
    IdentityKeeper(directory: nil, isWriting: true, on: survey)
  }

  /// One that begins with the same memory, and writes nothing.
  public func copyForTrial() -> IdentityKeeper {
    let copy = IdentityKeeper(directory: store?.directory, isWriting: false, on: survey)
    copy.memory.withLock { $0.list = memory.withLock(\.list) }
    return copy
  }

  /// The file that numbers are kept in.
  var path: String? { store?.path }

  /// Chooses numbers for names, and keeps other begatds waiting until the assignment is kept or dropped.
  func assign(_ names: some Sequence<String>, in range: IdentityRange) -> IdentityAssignment {
    let number = memory.withLock { memory in
      memory.lastAssignment += 1
      return memory.lastAssignment
    }
    let assignment = IdentityAssignment(number, keeper: self)
    if isWriting { assignment.lock(store) }
    assignment.read(store, isTrusting: !isWriting, memory: memory.withLock(\.list))
    assignment.choose(names, in: range, on: survey)
    return assignment
  }

  fileprivate func keep(_ assignment: IdentityAssignment) {
    // A reload that was given up may end after a later one has begun, which chose without its numbers.
    let isLast = memory.withLock { memory in
      guard memory.lastAssignment == assignment.number else { return false }
      memory.list = assignment.list
      memory.isComplete = assignment.isComplete
      memory.numbers = assignment.numbers
      return true
    }
    guard isLast, isWriting else { return }
    assignment.write(store)
    if isPublishing { publishRecords() }
  }

  /// Publishes the users of the present configuration to the machine's name service, if they are the machine's own.
  public func publishRecords() {
    guard isMachines else { return }
    UserRecords().publish(memory.withLock(\.numbers), known: known)
  }

  /// The numbers that services have or had; nil if some of them may be missing, as in a file that could not be read.
  var known: IdentityList? { memory.withLock { $0.isComplete ? $0.list : nil } }

  /// Those that were not made before.
  fileprivate func news(_ complaints: [String]) -> [String] {
    memory.withLock { memory in complaints.filter { memory.complaints.insert($0).inserted } }
  }
}

/// Numbers for the services of one configuration.
final class IdentityAssignment {
  private(set) var numbers: [String: UInt32] = [:]
  /// The names for which no number is left, sorted.
  private(set) var unserved: [String] = []
  /// All names that have or had a number.
  fileprivate private(set) var list = IdentityList()
  /// Whether the file was read as a whole, and no other begatd was changing it.
  fileprivate private(set) var isComplete = true
  /// Its place in the order of its keeper's assignments.
  fileprivate let number: UInt64
  private let keeper: IdentityKeeper
  private var lock: PathLock?
  private var complaints: [String] = []
  /// The file's numbers; nil if it is to be left alone.
  private var old: IdentityList?
  private var writeFailure: String?

  fileprivate init(_ number: UInt64, keeper: IdentityKeeper) {
    self.number = number
    self.keeper = keeper
  }

  /// Remembers the numbers, for the configuration is in order.
  ///
  /// - Returns: complaints about the file, each part of a line that begins with its path.
  func keep() -> [String] {
    keeper.keep(self)
    lock = nil
    return keeper.news(complaints)
  }

  fileprivate func lock(_ store: IdentityStore?) {
    guard let store else { return }
    do throws(IdentityProblem) { lock = try store.lock() } catch {
      writeFailure = error.text
      isComplete = false
    }
  }

  fileprivate func read(_ store: IdentityStore?, isTrusting: Bool, memory: IdentityList) {
    do throws(IdentityProblem) {
      if let store {
        list = try store.read(isTrusting: isTrusting)
        old = list
      }
      if let first = list.damagedLines.first {
        let others = list.damagedLines.count - 1
        complaints.append(
          "line \(first): expected NAME NUMBER, each used once; this line is dropped"
            + (others == 0 ? "" : ", and \(others) more"))
        old = IdentityList()
        isComplete = false
      }
    } catch {
      isComplete = false
      complaints.append("\(error.text); the file is ignored, and services get their numbers as if it were empty")
    }
    list.add(memory)
  }

  fileprivate func choose(_ names: some Sequence<String>, in range: IdentityRange, on survey: IdentitySurvey) {
    let table = IdentityTable(names, in: range, remembered: list, on: survey)
    numbers = table.numbers
    unserved = table.unserved
    for (name, number) in numbers { list.give(number, to: name) }
  }

  fileprivate func write(_ store: IdentityStore?) {
    guard let store, let old, old != list else { return }
    do throws(IdentityProblem) {
      if let writeFailure { throw IdentityProblem(text: writeFailure) }
      try store.replace(by: list)
    } catch {
      complaints.append(
        "\(error.text); the numbers are not saved, and services may get others at the next start: let begatd write "
          + "there (StateDirectory=begat in its unit)")
    }
  }
}
