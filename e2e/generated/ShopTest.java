import java.math.BigDecimal;
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.OrdersApi;
import org.openapitools.client.api.ProductsApi;
import org.openapitools.client.api.ReviewsApi;
import org.openapitools.client.model.InsertReviewsRequest;
import org.openapitools.client.model.Products;
import org.openapitools.client.model.Reviews;
import org.openapitools.client.model.ReviewsInsert;

/** The client that openapi-generator makes for Java, against the running shop. */
public final class ShopTest {
    public static void main(String[] words) throws ApiException {
        ApiClient anon = new ApiClient();
        anon.setBasePath(System.getenv("MAINSTAY_URL") + "/rest/v1");
        anon.setApiKey(System.getenv("MAINSTAY_PUBLISHABLE_KEY"));

        List<Products> rows = products(anon, null, "price.desc", 3L, null, null).getData();
        check(rows.size() == 3, "three rows: " + rows);
        check(rows.get(0).getPrice().compareTo(rows.get(2).getPrice()) >= 0, "in order: " + rows);

        ApiResponse<List<Products>> cheap = products(anon, "id,price", null, null, "lt.20", "count=exact");
        check(!cheap.getData().isEmpty(), "some are cheap");
        for (Products row : cheap.getData()) {
            check(row.getPrice().compareTo(new BigDecimal(20)) < 0 && row.getName() == null, "filtered: " + row);
        }
        String range = cheap.getHeaders().get("content-range").get(0);
        check(range.endsWith("/" + cheap.getData().size()), "counted: " + range);

        ReviewsInsert review = new ReviewsInsert().productId(1).author("Grace").stars(4);
        List<Reviews> back =
            new ReviewsApi(anon).insertReviews(new InsertReviewsRequest(review), null, null, null, null, "return=representation");
        check(back.size() == 1 && back.get(0).getAuthor().equals("Grace") && back.get(0).getId() != null, "inserted: " + back);

        refused(400, "22P02", () -> products(anon, null, null, null, "lt.cheap", null));
        refused(401, "42501", () -> new OrdersApi(anon)
            .listOrders(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null));
        System.out.println("the Java client passed");
    }

    private static ApiResponse<List<Products>> products(
        ApiClient client, String select, String order, Long limit, String price, String prefer) throws ApiException {
        return new ProductsApi(client).listProductsWithHttpInfo(
            select, order, limit, null, null, null, null, null, null, null, price, null, null, null, null, null,
            null, null, null, null, prefer, null, null);
    }

    private interface Call {
        void run() throws ApiException;
    }

    private static void refused(int status, String code, Call call) {
        try {
            call.run();
        } catch (ApiException refusal) {
            check(refusal.getCode() == status && refusal.getResponseBody().contains("\"" + code + "\""),
                refusal.getCode() + " " + refusal.getResponseBody());
            return;
        }
        throw new AssertionError("not refused with " + code);
    }

    private static void check(boolean holds, String words) {
        if (!holds) {
            throw new AssertionError(words);
        }
    }
}
