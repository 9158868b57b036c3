// node smtp.mjs PORT: an SMTP server that takes every mail, and prints each as one JSON line: whom it was
// for as the protocol says, and its text as it came.
import { SMTPServer } from "smtp-server";

const port = Number(process.argv[2]);
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      console.log(JSON.stringify({ recipients, content: Buffer.concat(chunks).toString("utf8") }));
      done();
    });
  },
});
server.on("error", () => {});
server.listen(port, "127.0.0.1");
