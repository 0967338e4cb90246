namespace Harepd.Grpc;

/// <summary>
/// A call that did not succeed. A handler throws it to answer with that status; a channel throws nothing else.
/// <see cref="Detail"/> travels to the other side as <c>grpc-message</c>: it must hold no secret, and is cut to 1,024 characters.
/// </summary>
public sealed class GrpcException : Exception
{
    internal const int MaxDetail = 1024;

    public GrpcException(GrpcStatusCode code, string detail, Exception? inner = null)
        : base($"{code}: {detail}", inner)
    {
        Code = code;
        Detail = detail.Length <= MaxDetail ? detail : detail[..MaxDetail];
    }

    /// <summary>Never <see cref="GrpcStatusCode.Ok"/> where a channel throws it.</summary>
    public GrpcStatusCode Code { get; }

    /// <summary>One sentence for people.</summary>
    public string Detail { get; }
}
