using System.Globalization;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Harepd.Grpc;

/// <summary>Writes the answers of the protocol: one message with trailers, or the status alone in the headers (Trailers-Only).</summary>
internal static class GrpcResponse
{
    /// <summary>True for a gRPC request; otherwise the plain HTTP error is set and the request is done with.</summary>
    public static bool IsGrpcRequest(HttpContext context)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return false;
        }

        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = HttpMethods.Post;
            return false;
        }

        if (!GrpcHeaders.IsGrpc(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }

        return true;
    }

    public static async Task SucceedAsync(HttpContext context, IMessage message, CancellationToken deadline)
    {
        var frame = GrpcFrame.Encode(message);
        var response = context.Response;
        response.ContentType = GrpcHeaders.ContentType;
        response.Headers[GrpcHeaders.AcceptEncoding] = GrpcHeaders.Spoken;
        await response.BodyWriter.WriteAsync(frame, deadline);

        // Only now: a trailer appended before a write that fails would stand beside the status of the failure.
        response.AppendTrailer(GrpcHeaders.Status, "0");
    }

    /// <summary>Answers with a status; where the answer has begun already the stream is reset, for two statuses must never be sent.</summary>
    public static void Fail(HttpContext context, GrpcStatusCode code, string detail)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return;
        }

        response.Clear();
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = GrpcHeaders.ContentType;
        response.Headers[GrpcHeaders.AcceptEncoding] = GrpcHeaders.Spoken;
        response.Headers[GrpcHeaders.Status] = ((int)code).ToString(CultureInfo.InvariantCulture);
        response.Headers[GrpcHeaders.Message] = PercentText.Encode(detail);
    }
}
