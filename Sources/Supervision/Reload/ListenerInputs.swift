import Glibc
import NetworkServices
import Settings
@_spi(Begat) import UnixCore

/// The files beside the configuration that a listener reads when it starts: a change of one is a change of the service.
struct ListenerInputs: Hashable, Sendable {
  /// A file by what tells it from another, and from itself with other contents.
  struct Stamp: Hashable, Sendable {
    var path: String
    var device: dev_t = 0
    var inode: ino_t = 0
    var size: off_t = 0
    var seconds: time_t = 0
    var nanoseconds: Int = 0
  }

  var timeZone: [Stamp] = []
  var fortunes: [Stamp] = []
  var messageOfTheDay: [Stamp] = []

  /// What differs, in words.
  func differences(from other: ListenerInputs) -> [String] {
    [
      timeZone == other.timeZone ? nil : "time zone", fortunes == other.fortunes ? nil : "fortunes",
      messageOfTheDay == other.messageOfTheDay ? nil : "message of the day",
    ].compactMap { $0 }
  }
}

/// Looks at the files that listeners read; each is looked at once.
struct ListenerInputReader {
  private var known: [String: [ListenerInputs.Stamp]] = [:]
  private let timeZonePath: String

  init() {
    timeZonePath = ListenerInputReader.timeZonePath(
      variable: getenv("TZ").map { String(cString: $0) },
      directory: getenv("TZDIR").map { String(cString: $0) })
  }

  /// - Returns: what a built-in service reads; nothing for a program, which reads its files itself.
  mutating func inputs(of settings: ServiceSettings) -> ListenerInputs {
    var inputs = ListenerInputs()
    guard let builtIn = settings.serve else { return inputs }
    if [.hello, .daytime, .command].contains(builtIn) { inputs.timeZone = stamps(at: timeZonePath) }
    if [.hello, .fortune, .command].contains(builtIn) {
      let configured = settings.fortune.databases
      let paths = configured.isEmpty ? [FortuneLoader.usualDirectory] : configured
      // A database of its own has an index beside it.
      inputs.fortunes = paths.flatMap { stamps(at: $0) + stamps(at: "\($0).dat") }
    }
    if builtIn == .command { inputs.messageOfTheDay = stamps(at: MessageOfTheDay.usualPath) }
    return inputs
  }

  /// The file that the C library reads for a value of TZ.
  ///
  /// Source: tzset(3).
  static func timeZonePath(variable: String?, directory: String?) -> String {
    guard let variable else { return "/etc/localtime" }
    let name = variable.hasPrefix(":") ? String(variable.dropFirst()) : variable
    return name.hasPrefix("/") ? name : "\(directory ?? "/usr/share/zoneinfo")/\(name)"
  }

  /// The file, or the directory with all that is in it.
  private mutating func stamps(at path: String) -> [ListenerInputs.Stamp] {
    if let found = known[path] { return found }
    let found = ListenerInputReader.look(path, depth: 2)
    known[path] = found
    return found
  }

  private static func look(_ path: String, depth: Int) -> [ListenerInputs.Stamp] {
    var status = stat()
    var stamp = ListenerInputs.Stamp(path: path)
    guard stat(path, &status) == 0 else { return [stamp] }
    stamp.device = status.st_dev
    stamp.inode = status.st_ino
    stamp.size = status.st_size
    stamp.seconds = status.st_mtim.tv_sec
    stamp.nanoseconds = status.st_mtim.tv_nsec
    guard status.st_mode & S_IFMT == S_IFDIR, depth > 0 else { return [stamp] }
    let names = ((try? DirectoryListing.names(in: path)) ?? []).sorted()
    return names.reduce([stamp]) { $0 + look("\(path)/\($1)", depth: depth - 1) }
  }
}
