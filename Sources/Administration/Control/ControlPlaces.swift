import Control
import Glibc
import Monitoring
import Settings
@_spi(Begat) import UnixCore

/// Where a running begatd may be found.
struct ControlPlaces {
  /// The path that `--control` names; nil for the places that begatd itself chooses.
  let given: String?

  private static let systemDirectory = "/run/begat"

  /// The paths to try for a request, in this order.
  ///
  /// Questions go to the socket that takes nothing else, so that they need no more rights than they must.
  func paths(for request: ControlRequest.Name) -> [String] {
    if let given {
      return request.isQuestion ? [given, DaemonSettings.questionsPath(beside: given)] : [given]
    }
    return directories.flatMap { request.isQuestion ? ["\($0)/status", "\($0)/control"] : ["\($0)/control"] }
  }

  /// Where listeners without begatd may have their scoreboards: units have directories of their own.
  var listenerDirectories: [String] {
    getenv("RUNTIME_DIRECTORY") == nil ? directories + StandaloneListeners.unitDirectories : directories
  }

  /// Runtime directories: a user's own begatd first, then the machine's.
  var directories: [String] {
    let own = RuntimeDirectory.path
    if getenv("RUNTIME_DIRECTORY") != nil || own == ControlPlaces.systemDirectory { return [own] }
    return [own, ControlPlaces.systemDirectory]
  }
}
