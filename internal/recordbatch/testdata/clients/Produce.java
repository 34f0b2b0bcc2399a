// The same as produce.py, with the Java client. It prints that client's version.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Produce {
    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", args[0]);
        p.put("compression.type", args[1]);
        p.put("enable.idempotence", args[2]);
        p.put("linger.ms", "60000"); // until the flush
        p.put("batch.size", "10000000");
        p.put("max.request.size", "20000000");
        p.put("enable.metrics.push", "false");
        p.put("key.serializer", ByteArraySerializer.class.getName());
        p.put("value.serializer", ByteArraySerializer.class.getName());
        List<java.util.concurrent.Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(p)) {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            for (String line; (line = in.readLine()) != null; ) {
                if (line.equals("flush")) {
                    producer.flush();
                    continue;
                }
                String[] fields = line.split(" ");
                ProducerRecord<byte[], byte[]> r =
                    new ProducerRecord<>("golden", 0, Long.parseLong(fields[0]), bytes(fields[1]), bytes(fields[2]));
                for (int i = 3; i < fields.length; i++) {
                    String[] header = fields[i].split("=", 2);
                    r.headers().add(new String(bytes(header[0]), StandardCharsets.UTF_8), bytes(header[1]));
                }
                sent.add(producer.send(r));
            }
            producer.flush();
        }
        for (var f : sent) f.get();
        Properties release = new Properties();
        release.load(KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties"));
        System.out.print(release.getProperty("version"));
    }

    static byte[] bytes(String s) {
        return s.equals("null") ? null : HexFormat.of().parseHex(s.substring(1));
    }
}
