using System.Text;

namespace Harepd.Postgres.Hba;

/// <summary>
/// Lines that the Go daemon left behind (UPSTREAM: <c>host user user ip/32 method</c>), for the check users and addresses of the policy and in
/// exactly that form. Anything else that names the same address is the operator's.
/// </summary>
internal static class GoDaemonLines
{
    /// <summary>The text without such lines, and the lines as they stood.</summary>
    public static (string Text, IReadOnlyList<string> Taken) TakeOut(string text, HbaPolicy policy)
    {
        var users = new[] { policy.ReadWriteUser, policy.ReadOnlyUser }.OfType<string>().Select(HbaText.FromName).ToHashSet(StringComparer.Ordinal);
        var addresses = policy.HaproxyServers.Select(HbaBlock.AddressField).ToHashSet(StringComparer.Ordinal);
        var methods = new HashSet<string>(StringComparer.Ordinal) { policy.AllowMethod, policy.DenyMethod };
        var kept = new StringBuilder();
        var taken = new List<string>();
        foreach (var line in HbaLine.Read(text))
        {
            var written = text[line.Start..line.End];
            var isTheirs = written.TrimEnd('\r', '\n') == line.Joined
                && !line.Joined.AsSpan().ContainsAny('#', '"')
                && line.Fields.Count == 5
                && line.Fields.All(field => field.Tokens.Count == 1)
                && line.Raw(0) == "host"
                && line.Raw(1) == line.Raw(2)
                && users.Contains(line.Raw(1))
                && addresses.Contains(line.Raw(3))
                && methods.Contains(line.Raw(4));
            if (isTheirs)
            {
                taken.Add(line.Joined);
            }
            else
            {
                kept.Append(written);
            }
        }

        return (kept.ToString(), taken);
    }
}
