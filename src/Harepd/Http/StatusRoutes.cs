using System.Text;
using Harepd.Core.Model;

namespace Harepd.Http;

/// <summary>An answer ready to be sent.</summary>
/// <param name="Code">HTTP status.</param>
/// <param name="ContentType">Empty without a body.</param>
/// <param name="Body">Empty for HEAD and OPTIONS.</param>
internal readonly record struct StatusAnswer(int Code, string ContentType, ReadOnlyMemory<byte> Body)
{
    internal static StatusAnswer Empty(int code) => new(code, "", default);
}

/// <summary>Which path gets which answer, from one status and one reading of the clock. Pure.</summary>
internal static class StatusRoutes
{
    private const string Json = "application/json";

    /// <param name="method">GET, HEAD and OPTIONS are answered; anything else is 405.</param>
    /// <param name="path">Without query.</param>
    /// <param name="query">Conditions of a health path.</param>
    /// <param name="status">Null before the loop's first step.</param>
    /// <param name="now">Boot-time clock.</param>
    /// <param name="heartbeatLimit">Older statuses are no evidence of anything.</param>
    internal static StatusAnswer Answer(string method, string path, HealthQuery query, NodeStatus? status, Instant now, TimeSpan heartbeatLimit)
    {
        if (method is not ("GET" or "HEAD" or "OPTIONS"))
        {
            return StatusAnswer.Empty(405);
        }

        var answer = Page(path, query, status, now)
            ?? (FirstPart(path) switch
            {
                "liveness" => StatusAnswer.Empty(status is not null && HealthRules.IsAlive(status, now, heartbeatLimit) ? 200 : 503),
                "readiness" => StatusAnswer.Empty(HealthRules.IsReady(query, status, now, heartbeatLimit) ? 200 : 503),
                _ => new StatusAnswer(HealthRules.IsOk(path, query, status, now, heartbeatLimit) ? 200 : 503, Json, default),
            });
        return method != "GET" ? StatusAnswer.Empty(answer.Code)
            : answer is { ContentType: Json, Body.IsEmpty: true } ? answer with { Body = NodeJson.Write(status, now) }
            : answer;
    }

    /// <summary>The pages that are no health checks: 200 whatever the node's state is, 503 while there is nothing to show.</summary>
    private static StatusAnswer? Page(string path, HealthQuery query, NodeStatus? status, Instant now)
    {
        var page = FirstPart(path);
        if (page is not ("patroni" or "cluster" or "history" or "config" or "metrics"))
        {
            return null;
        }

        return status is null ? StatusAnswer.Empty(503) : page switch
        {
            "patroni" => new StatusAnswer(200, Json, NodeJson.Write(status, now)),
            "cluster" => new StatusAnswer(200, Json, StatusJson.Cluster(status)),
            "history" when path.TrimEnd('/').EndsWith("/history/decisions", StringComparison.Ordinal) => new StatusAnswer(200, Json, StatusJson.Decisions(status, query.Last)),
            "history" => new StatusAnswer(200, Json, StatusJson.History(status)),
            "config" => new StatusAnswer(200, Json, StatusJson.Config(status)),
            _ => new StatusAnswer(200, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(MetricsText.Write(status, now))),
        };
    }

    private static ReadOnlySpan<char> FirstPart(string path)
    {
        var rest = path.AsSpan().TrimStart('/');
        var slash = rest.IndexOf('/');
        return slash < 0 ? rest : rest[..slash];
    }
}
