using System.Text;

namespace Harepd.Postgres.Hba;

/// <summary>
/// pg_hba.conf is bytes, not characters: PostgreSQL compares names byte by byte. The room works on strings of one char per byte, so that
/// every byte of the operator comes back as it was, and turns names of the configuration into that form here.
/// </summary>
internal static class HbaText
{
    private const string KeptPlain = "._-$";

    /// <summary>A name of the configuration, one char per UTF-8 byte.</summary>
    public static string FromName(string name) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(name));

    public static string FromBytes(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static byte[] ToBytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>For people: the bytes read as UTF-8.</summary>
    public static string ForPeople(string text) => Encoding.UTF8.GetString(ToBytes(text));

    /// <summary>A name as one value of a field: plain where PostgreSQL reads it as that name, in quotes where it would see a keyword, group, file, list or comment.</summary>
    public static string Quote(string name)
    {
        var isPlain = name.Length > 0
            && name.All(c => char.IsAsciiLetterOrDigit(c) || KeptPlain.Contains(c) || c >= 0x80)
            && name is not ("all" or "replication" or "sameuser" or "samerole" or "samegroup");
        return isPlain ? name : "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }
}
