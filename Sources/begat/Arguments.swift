import ArgumentParser
import Clients
import ControlProtocol
import Glibc
import NameService

/// The positional arguments of the commands that speak to a server.
struct TargetArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("A host, or the absolute path or @name of a Unix socket.", valueName: "host"))
  var place: String

  @Argument(help: "The host's port: a number, a name of services(5), or both as in \"daytime(13)\".")
  var port: String?

  func target() throws -> ConnectionTarget {
    do throws(ConnectionTarget.Problem) {
      return try ConnectionTarget(place, port: port)
    } catch { throw ValidationError(error.description) }
  }
}

/// Reads `10s`, `1m30s`, ….
func readDuration(_ text: String) throws -> Duration {
  guard let duration = DurationText.parse(text) else {
    throw ValidationError("a time is written like 500ms, 10s or 1m30s")
  }
  return duration
}

func readProcess(_ text: String) throws -> pid_t {
  guard let process = ProcessNumber.parse(text) else {
    throw ValidationError("a process is a number from 1 on")
  }
  return process
}
