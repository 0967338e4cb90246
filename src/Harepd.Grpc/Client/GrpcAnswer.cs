using System.Net;

namespace Harepd.Grpc;

/// <summary>Reads the answer of a unary call: headers, at most one bounded message, trailers.</summary>
internal static class GrpcAnswer
{
    /// <summary>The message's bytes. The status outranks everything: an error may come with or without a message before it.</summary>
    /// <exception cref="GrpcException">The status is not OK, or this is no gRPC answer, or it is too long.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken token)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw Refuse(GrpcFailure.ReadStatus(response.Headers)) ?? GrpcFailure.FromHttp(response.StatusCode);
        }

        if (!GrpcHeaders.IsGrpc(response.Content.Headers.ContentType?.ToString()))
        {
            throw new GrpcException(GrpcStatusCode.Unknown, "the answer is not of content type application/grpc");
        }

        // Trailers-Only: the status stands in the headers and no message follows.
        if (Refuse(GrpcFailure.ReadStatus(response.Headers)) is { } early)
        {
            throw early;
        }

        var encoding = response.Headers.NonValidated.TryGetValues(GrpcHeaders.Encoding, out var value) ? value.ToString() : null;
        GrpcFrame.CheckEncoding(encoding);
        await using var stream = await response.Content.ReadAsStreamAsync(token);
        var message = await ReadMessageAsync(stream, maxBytes, encoding, token);
        var status = GrpcFailure.ReadStatus(response.TrailingHeaders);
        if (Refuse(status) is { } late)
        {
            throw late;
        }

        return status is null
            ? throw new GrpcException(GrpcStatusCode.Unknown, "the answer ended without a status")
            : message ?? throw new GrpcException(GrpcStatusCode.Internal, "the answer is OK but carries no message");
    }

    private static GrpcException? Refuse((GrpcStatusCode Code, string Detail)? status) =>
        status is { Code: not GrpcStatusCode.Ok } bad ? new GrpcException(bad.Code, bad.Detail) : null;

    private static async Task<ReadOnlyMemory<byte>?> ReadMessageAsync(Stream stream, int maxBytes, string? encoding, CancellationToken token)
    {
        var header = new byte[GrpcFrame.HeaderBytes];
        var read = await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, token);
        if (read == 0)
        {
            return null;
        }

        if (read < header.Length)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "the answer ended within its message");
        }

        var frame = GrpcFrame.Decode(header, maxBytes, encoding);
        var body = new byte[frame.Length];
        if (await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, token) < body.Length)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "the answer ended within its message");
        }

        // One byte more must not come; reading it also brings the trailers.
        return await stream.ReadAsync(header.AsMemory(0, 1), token) == 0
            ? frame.Open(body, maxBytes, encoding)
            : throw new GrpcException(GrpcStatusCode.Internal, "a unary answer carries one message");
    }
}
