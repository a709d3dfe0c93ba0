import Glibc
import Testing
import UnixCore

@Suite struct ErrorCodeNamesTests {
  /// Every name that `Errno` of the package swift-system has on Linux.
  private static let namesOfSystem: [(ErrorCode, CInt)] = [
    (.notPermitted, EPERM), (.noSuchFileOrDirectory, ENOENT), (.noSuchProcess, ESRCH), (.interrupted, EINTR),
    (.ioError, EIO), (.noSuchAddressOrDevice, ENXIO), (.argListTooLong, E2BIG), (.execFormatError, ENOEXEC),
    (.badFileDescriptor, EBADF), (.noChildProcess, ECHILD), (.deadlock, EDEADLK), (.noMemory, ENOMEM),
    (.permissionDenied, EACCES), (.badAddress, EFAULT), (.notBlockDevice, ENOTBLK), (.resourceBusy, EBUSY),
    (.fileExists, EEXIST), (.improperLink, EXDEV), (.operationNotSupportedByDevice, ENODEV), (.notDirectory, ENOTDIR),
    (.isDirectory, EISDIR), (.invalidArgument, EINVAL), (.tooManyOpenFilesInSystem, ENFILE),
    (.tooManyOpenFiles, EMFILE), (.inappropriateIOCTLForDevice, ENOTTY), (.textFileBusy, ETXTBSY),
    (.fileTooLarge, EFBIG), (.noSpace, ENOSPC), (.illegalSeek, ESPIPE), (.readOnlyFileSystem, EROFS),
    (.tooManyLinks, EMLINK), (.brokenPipe, EPIPE), (.outOfDomain, EDOM), (.outOfRange, ERANGE),
    (.resourceTemporarilyUnavailable, EAGAIN), (.nowInProgress, EINPROGRESS), (.alreadyInProcess, EALREADY),
    (.notSocket, ENOTSOCK), (.addressRequired, EDESTADDRREQ), (.messageTooLong, EMSGSIZE),
    (.protocolWrongTypeForSocket, EPROTOTYPE), (.protocolNotAvailable, ENOPROTOOPT),
    (.protocolNotSupported, EPROTONOSUPPORT), (.socketTypeNotSupported, ESOCKTNOSUPPORT), (.notSupported, ENOTSUP),
    (.protocolFamilyNotSupported, EPFNOSUPPORT), (.addressFamilyNotSupported, EAFNOSUPPORT),
    (.addressInUse, EADDRINUSE), (.addressNotAvailable, EADDRNOTAVAIL), (.networkDown, ENETDOWN),
    (.networkUnreachable, ENETUNREACH), (.networkReset, ENETRESET), (.connectionAbort, ECONNABORTED),
    (.connectionReset, ECONNRESET), (.noBufferSpace, ENOBUFS), (.socketIsConnected, EISCONN),
    (.socketNotConnected, ENOTCONN), (.socketShutdown, ESHUTDOWN), (.timedOut, ETIMEDOUT),
    (.connectionRefused, ECONNREFUSED), (.tooManySymbolicLinkLevels, ELOOP), (.fileNameTooLong, ENAMETOOLONG),
    (.hostIsDown, EHOSTDOWN), (.noRouteToHost, EHOSTUNREACH), (.directoryNotEmpty, ENOTEMPTY),
    (.tooManyUsers, EUSERS), (.diskQuotaExceeded, EDQUOT), (.staleNFSFileHandle, ESTALE), (.noLocks, ENOLCK),
    (.noFunction, ENOSYS), (.overflow, EOVERFLOW), (.canceled, ECANCELED), (.identifierRemoved, EIDRM),
    (.noMessage, ENOMSG), (.illegalByteSequence, EILSEQ), (.badMessage, EBADMSG), (.multiHop, EMULTIHOP),
    (.noData, ENODATA), (.noLink, ENOLINK), (.noStreamResources, ENOSR), (.notStream, ENOSTR),
    (.protocolError, EPROTO), (.timeout, ETIME), (.notSupportedOnSocket, EOPNOTSUPP), (.wouldBlock, EWOULDBLOCK),
    (.tooManyReferences, ETOOMANYREFS), (.tooManyRemoteLevels, EREMOTE), (.notRecoverable, ENOTRECOVERABLE),
    (.previousOwnerDied, EOWNERDEAD),
  ]

  @Test("are all those of swift-system")
  func areSystems() {
    #expect(Self.namesOfSystem.count == 89)
    for (code, number) in Self.namesOfSystem { #expect(code.rawValue == number) }
  }
}
