import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC

@Suite struct ErrorCodeTests {
  @Test(
    "has the kernel's number, name and words",
    arguments: [
      (.addressInUse, EADDRINUSE, "EADDRINUSE", "Address already in use"),
      (.brokenPipe, EPIPE, "EPIPE", "Broken pipe"), (.wouldBlock, EAGAIN, "EAGAIN", "Resource temporarily unavailable"),
      (.noSuchFileOrDirectory, ENOENT, "ENOENT", "No such file or directory"),
      (.notPermitted, EPERM, "EPERM", "Operation not permitted"),
      (.permissionDenied, EACCES, "EACCES", "Permission denied"),
      (.timedOut, ETIMEDOUT, "ETIMEDOUT", "Connection timed out"),
      (.connectionReset, ECONNRESET, "ECONNRESET", "Connection reset by peer"),
    ] as [(ErrorCode, CInt, String, String)])
  func isTheKernels(code: ErrorCode, number: CInt, name: String, words: String) {
    #expect(code.rawValue == number)
    #expect(code.name == name)
    #expect("\(code)" == words)
  }

  @Test("shows a number that the C library does not know")
  func showsUnknownNumbers() {
    #expect("\(ErrorCode(rawValue: 9999))" == "error 9999")
    #expect(ErrorCode(rawValue: 9999).name == "9999")
  }

  @Test("tells what concerns one connection from what concerns the machine")
  func sortsErrorsOfAccept() {
    let passing = [ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, EPERM]
    for number in passing {
      #expect(ErrorCode(rawValue: number).isTransientAcceptError, "\(ErrorCode(rawValue: number).name)")
    }
    for number in [EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN] {
      #expect(ErrorCode(rawValue: number).isResourceExhaustion, "\(ErrorCode(rawValue: number).name)")
      #expect(!ErrorCode(rawValue: number).isTransientAcceptError)
    }
    for number in [EBADF, EINVAL, ENOTSOCK, EFAULT] {
      let code = ErrorCode(rawValue: number)
      #expect(!code.isTransientAcceptError && !code.isResourceExhaustion)
    }
  }
}
