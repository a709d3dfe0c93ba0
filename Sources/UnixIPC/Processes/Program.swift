import CPlatform
import Glibc

/// A program to start: by absolute path, without a shell, with exactly the arguments, variables and descriptors named.
public struct Program: Sendable {
  public var path: String
  /// What the program gets as `argv`, its own name first.
  public var arguments: [String]
  /// `NAME=value` each; nothing is inherited.
  public var environment: [String]
  /// The working directory; nil stays where the caller is.
  public var directory: String?
  /// Whether it leads a session of its own, so that a terminal's signals do not reach it.
  public var leadsSession = false

  public init(path: String, arguments: [String], environment: [String] = [], directory: String? = nil) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// Starts the program as a child, which announces its end by SIGCHLD.
  ///
  /// Dispositions and the mask of signals are the default ones in the program.  Safe in a process with threads.
  ///
  /// - Parameter descriptors: the caller's numbers; the first becomes the program's 0, the second 1, and so on.  No
  ///   other descriptor is open in the program.
  /// - Throws: the step that failed in the child too: a program that cannot be executed is an error here.
  ///
  /// Source: vfork(2), execve(2).
  public func start(descriptors: [CInt]) throws(CallFailure) -> pid_t {
    var words = CStringArray(arguments)
    var variables = CStringArray(environment)
    defer {
      words.free()
      variables.free()
    }
    var failedStep: UnsafePointer<CChar>?
    var child: pid_t = -1
    var error = Errno(rawValue: 0)
    withOptionalCString(directory) { directory in
      path.withCString { path in
        descriptors.withUnsafeBufferPointer { descriptors in
          var program = platform_spawn(
            path: path, arguments: words.pointer, environment: variables.pointer, descriptors: descriptors.baseAddress,
            descriptor_count: CInt(descriptors.count), directory: directory, new_session: leadsSession)
          child = platform_spawn(&program, &failedStep)
          if child == -1 { error = Errno.current }
        }
      }
    }
    guard child != -1 else {
      let step = failedStep.map { String(cString: $0) } ?? "vfork"
      throw CallFailure(step, on: step == "chdir" ? directory : path, errno: error)
    }
    return child
  }
}

private func withOptionalCString(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Void) {
  if let text { text.withCString { body($0) } } else { body(nil) }
}

/// A NULL-terminated array of C strings, as execve(2) takes it.
private struct CStringArray {
  let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) {
    count = strings.count
    pointer = .allocate(capacity: count + 1)
    for (index, string) in strings.enumerated() { pointer[index] = strdup(string) }
    pointer[count] = nil
  }

  mutating func free() {
    for index in 0..<count { Glibc.free(pointer[index]) }
    pointer.deallocate()
  }
}
