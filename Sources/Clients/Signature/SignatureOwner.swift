import Glibc
@_spi(Begat) import NameService

/// Whose signature it is, where nothing else was said.
public enum SignatureOwner {
  /// "John Smith (smith@host.org)"
  public static var nameLine: String {
    let user = Users.find(geteuid())
    let name = user?.name ?? String(geteuid())
    let fullName = user.map(\.fullName) ?? ""
    return "\(fullName.isEmpty ? name : fullName) (\(name)@\(hostName))"
  }

  /// `.signature` in the home directory: `HOME`, else what the user database says.
  ///
  /// - Returns: nil where there is no home.
  public static var path: String? {
    let home = getenv("HOME").map { String(cString: $0) } ?? ""
    let directory = home.isEmpty ? Users.find(geteuid())?.homeDirectory ?? "" : home
    return directory.isEmpty ? nil : directory + (directory.hasSuffix("/") ? "" : "/") + ".signature"
  }

  /// Source: gethostname(2).
  private static var hostName: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
      room.initialize(repeating: 0)
      guard let start = room.baseAddress, gethostname(start, room.count - 1) == 0 else { return "localhost" }
      return String(cString: start)
    }
  }
}
