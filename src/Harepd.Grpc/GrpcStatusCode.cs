namespace Harepd.Grpc;

/// <summary>How a call ended, with the numbers of the gRPC protocol (grpc/grpc doc/statuscodes.md). They are part of the wire.</summary>
public enum GrpcStatusCode
{
    /// <summary>The call succeeded.</summary>
    Ok = 0,

    /// <summary>The caller gave the call up.</summary>
    Cancelled = 1,

    /// <summary>Nothing better is known; also a handler's unexpected failure.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the server.</summary>
    InvalidArgument = 3,

    /// <summary>No answer came before the deadline.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>What was to be made exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not.</summary>
    PermissionDenied = 7,

    /// <summary>A bound was met: message size, calls at once.</summary>
    ResourceExhausted = 8,

    /// <summary>The server's state does not permit it.</summary>
    FailedPrecondition = 9,

    /// <summary>Gave way to another operation.</summary>
    Aborted = 10,

    /// <summary>Past the end of something.</summary>
    OutOfRange = 11,

    /// <summary>No such service or method, or an encoding that is not spoken.</summary>
    Unimplemented = 12,

    /// <summary>The protocol itself was broken.</summary>
    Internal = 13,

    /// <summary>The server cannot be reached now.</summary>
    Unavailable = 14,

    /// <summary>Data is lost for good.</summary>
    DataLoss = 15,

    /// <summary>The caller did not say who it is.</summary>
    Unauthenticated = 16,
}
