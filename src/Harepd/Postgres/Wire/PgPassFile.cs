using System.Globalization;
using System.Text;

namespace Harepd.Postgres.Wire;

/// <summary>Looks a password up in a file of libpq's form <c>host:port:database:user:password</c> (PostgreSQL manual, "The Password File").</summary>
internal static class PgPassFile
{
    private const int LargestFile = 1 << 20;

    /// <summary>The password of the first matching line; null when there is none, or the file may be read by others, as libpq has it.</summary>
    public static string? Find(PgEndpoint endpoint)
    {
        try
        {
            var file = endpoint.PassFile is { Length: > 0 } path ? new FileInfo(path) : null;
            const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
            if (file is not { Exists: true, Length: <= LargestFile } || (file.UnixFileMode & others) != UnixFileMode.None)
            {
                return null;
            }

            return File.ReadLines(file.FullName).Select(Split).FirstOrDefault(fields => Matches(fields, endpoint))?[4];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool Matches(List<string> fields, PgEndpoint endpoint) =>
        fields.Count >= 5
        && (fields[0] is "*" || fields[0] == endpoint.Host || (endpoint.IsUnixSocket && fields[0] == "localhost"))
        && (fields[1] is "*" || fields[1] == endpoint.Port.ToString(CultureInfo.InvariantCulture))
        && (fields[2] is "*" || fields[2] == endpoint.Database)
        && (fields[3] is "*" || fields[3] == endpoint.User);

    private static List<string> Split(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        if (line.StartsWith('#'))
        {
            return fields;
        }

        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == ':')
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                i += line[i] == '\\' && i + 1 < line.Length ? 1 : 0;
                field.Append(line[i]);
            }
        }

        fields.Add(field.ToString());
        return fields;
    }
}
