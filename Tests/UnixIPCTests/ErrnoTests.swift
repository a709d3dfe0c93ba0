import Glibc
import Testing
import UnixIPC

@Suite struct ErrnoTests {
  @Test(
    "has the kernel's number, name and words",
    arguments: [
      (.addressInUse, EADDRINUSE, "EADDRINUSE", "Address already in use"),
      (.brokenPipe, EPIPE, "EPIPE", "Broken pipe"), (.wouldBlock, EAGAIN, "EAGAIN", "Resource temporarily unavailable"),
      (.noSuchFile, ENOENT, "ENOENT", "No such file or directory"),
      (.notPermitted, EPERM, "EPERM", "Operation not permitted"),
      (.permissionDenied, EACCES, "EACCES", "Permission denied"),
      (.timedOut, ETIMEDOUT, "ETIMEDOUT", "Connection timed out"),
      (.connectionReset, ECONNRESET, "ECONNRESET", "Connection reset by peer"),
    ] as [(Errno, CInt, String, String)])
  func isTheKernels(errno: Errno, number: CInt, name: String, words: String) {
    #expect(errno.rawValue == number)
    #expect(errno.name == name)
    #expect("\(errno)" == words)
  }

  @Test("shows a number that the C library does not know")
  func showsUnknownNumbers() {
    #expect("\(Errno(rawValue: 9999))" == "error 9999")
    #expect(Errno(rawValue: 9999).name == "9999")
  }

  @Test("tells what concerns one connection from what concerns the machine")
  func sortsErrorsOfAccept() {
    let passing = [ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, EPERM]
    for number in passing { #expect(Errno(rawValue: number).isPassing, "\(Errno(rawValue: number).name)") }
    for number in [EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN] {
      #expect(Errno(rawValue: number).isShortage, "\(Errno(rawValue: number).name)")
      #expect(!Errno(rawValue: number).isPassing)
    }
    for number in [EBADF, EINVAL, ENOTSOCK, EFAULT] {
      #expect(!Errno(rawValue: number).isPassing && !Errno(rawValue: number).isShortage)
    }
  }
}
